package io.taskbroker.lab.demo;

import java.time.Duration;

/// What a demo is to do.
///
/// @param millis how long each task runs
/// @param seed decides which task is of which kind
/// @param rate how many tasks are published a second; 0 for as many as possible
/// @param keepRunning whether everything stays up after the account, until it is interrupted
/// @param patience how long nothing may happen, beyond what the tasks take, before it gives up
record DemoOptions(
    int tasks, int millis, long seed, int rate, boolean keepRunning, Duration patience) {}
