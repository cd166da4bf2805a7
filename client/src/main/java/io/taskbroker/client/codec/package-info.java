/// Encoding of arguments and results: JSON by default, MessagePack for exchange with Python, zstd
/// above a size, and a hook for encryption.
@NullMarked
package io.taskbroker.client.codec;

import org.jspecify.annotations.NullMarked;
