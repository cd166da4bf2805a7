/// Which tasks are switched off and which namespaces are demoted: the rules, and the file that they
/// are read from while the broker runs.
@NullMarked
package io.taskbroker.rules;

import org.jspecify.annotations.NullMarked;
