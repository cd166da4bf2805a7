/// Rules: which tasks are killed and which namespaces are demoted, and the file that they are read
/// from while the broker runs.
@NullMarked
package io.taskbroker.rules;

import org.jspecify.annotations.NullMarked;
