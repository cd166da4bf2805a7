/// TLS from PEM files: their validation, and connections that use their current contents.
/// Independent of gRPC.
@NullMarked
package io.taskbroker.tls;

import org.jspecify.annotations.NullMarked;
