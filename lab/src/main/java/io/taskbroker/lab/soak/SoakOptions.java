package io.taskbroker.lab.soak;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// What a soak is to do.
///
/// @param load how long tasks are published and faults happen
/// @param rate how many tasks are published a second, on average
/// @param patience how long nothing may happen after that before it is given up
/// @param json where the report goes as JSON, too
record SoakOptions(Duration load, long seed, int rate, Duration patience, Optional<Path> json) {
  int tasks() {
    return (int) (load.toSeconds() * rate);
  }
}
