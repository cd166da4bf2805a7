/// A shop: orders come over HTTP and are stored with their receipts in one transaction; a report is
/// made every night.
@NullMarked
package io.taskbroker.examples.spring;

import org.jspecify.annotations.NullMarked;
