/// Configuration: built-in defaults, overlaid by a YAML file, overlaid by the environment, read
/// once at start into validated records (reference-spec 3).
@NullMarked
package io.taskbroker.config;

import org.jspecify.annotations.NullMarked;
