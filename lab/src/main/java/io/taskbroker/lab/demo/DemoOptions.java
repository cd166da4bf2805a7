package io.taskbroker.lab.demo;

import java.time.Duration;

/// Options of a demo.
///
/// @param millis duration of each task
/// @param seed determines the kinds of tasks
/// @param rate tasks published per second; 0 for as many as possible
/// @param keepRunning whether everything keeps running after the check, until interrupted
/// @param patience how long nothing may happen, beyond the duration of tasks, before the demo ends
record DemoOptions(
    int tasks, int millis, long seed, int rate, boolean keepRunning, Duration patience) {}
