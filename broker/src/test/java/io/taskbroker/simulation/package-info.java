/// Simulation of whole brokers: one seed determines everything that happens, and a ledger checks
/// every guarantee.
@NullMarked
package io.taskbroker.simulation;

import org.jspecify.annotations.NullMarked;
