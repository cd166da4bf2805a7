package io.taskbroker.lab.soak;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// Options of a soak.
///
/// @param load how long tasks are published and faults happen
/// @param rate average number of tasks published per second
/// @param patience how long nothing may happen after the load before the soak ends
/// @param json file for the report as JSON
record SoakOptions(Duration load, long seed, int rate, Duration patience, Optional<Path> json) {
  int tasks() {
    return (int) (load.toSeconds() * rate);
  }
}
