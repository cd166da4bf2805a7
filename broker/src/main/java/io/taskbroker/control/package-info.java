/// Commands of operators to a running broker, over a Unix domain socket beside its store: one
/// request and one answer for each connection, a line of JSON each. Whoever may write to the socket
/// may give any command; only the user of the broker's process may.
@NullMarked
package io.taskbroker.control;

import org.jspecify.annotations.NullMarked;
