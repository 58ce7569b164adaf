//! Stories over a running server, and walks over whole libraries. One program, because each would link
//! everything anew; nextest runs each fact in a process of its own.

mod administration;
mod broken;
mod clients;
mod contract;
mod coverage;
mod crash;
mod document;
mod downloads;
mod finding;
mod links;
mod operator;
mod organizing;
mod people;
mod pins;
mod queues;
mod rebuild;
mod schemas;
mod search;
mod sharing;
mod slices;
mod sync;
