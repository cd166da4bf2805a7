/// Shadow reading: what the broker would do with the records that another broker of the same
/// configuration consumes. Reads Kafka and nothing else; belongs to no group, commits, stores and
/// delivers nothing.
@NullMarked
package io.taskbroker.shadow;

import org.jspecify.annotations.NullMarked;
