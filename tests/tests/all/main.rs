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
mod limits;
mod links;
mod lost_access;
mod operator;
mod organizing;
mod parked;
mod people;
mod pins;
mod queues;
mod races;
mod rebuild;
mod schemas;
mod search;
mod settings;
mod sharing;
mod slices;
mod sync;
