//! Originals are moved to where the storage template says, and no crash loses or doubles one.

mod steps;
mod story;
