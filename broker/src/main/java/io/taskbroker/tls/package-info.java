/// TLS from PEM files: what they must hold, and connections that are made with what they hold at
/// the moment. Knows no gRPC.
@NullMarked
package io.taskbroker.tls;

import org.jspecify.annotations.NullMarked;
