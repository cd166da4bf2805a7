/// Payloads of tasks as people read them: arguments and headers decoded, secrets left out.
@NullMarked
package io.taskbroker.payload;

import org.jspecify.annotations.NullMarked;
