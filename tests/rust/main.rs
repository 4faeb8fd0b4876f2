//! Tests of the public interface, as one binary.

#![allow(clippy::float_cmp, reason = "where tests compare exactly, exact is promised")]

mod allocations;
mod arrange;
mod caught;
mod consume;
mod custom;
mod custom_check;
mod differences;
mod elementwise;
mod examples;
mod faults;
mod gradients;
mod graphs;
mod indexing;
mod inspect;
mod layers;
mod linear;
mod messages;
mod network;
mod ops;
mod profile;
mod record;
mod seed;
mod statistics;
mod threads;
