/// The configuration: built-in defaults, overlaid by a YAML file, overlaid by the environment, read
/// once at start into records that hold only what is allowed (reference-spec 3).
@NullMarked
package io.taskbroker.config;

import org.jspecify.annotations.NullMarked;
