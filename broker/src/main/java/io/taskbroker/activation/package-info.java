/// The domain: what an activation is, which statuses it goes through, and which durable changes
/// happen to it. Depends on nothing but the wire contract.
@NullMarked
package io.taskbroker.activation;

import org.jspecify.annotations.NullMarked;
