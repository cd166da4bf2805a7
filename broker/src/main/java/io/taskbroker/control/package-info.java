/// Operator commands to a running broker, over a Unix domain socket next to its store: one request
/// and one answer per connection, each a line of JSON. Write access to the socket permits every
/// command; only the user of the broker's process has it.
@NullMarked
package io.taskbroker.control;

import org.jspecify.annotations.NullMarked;
