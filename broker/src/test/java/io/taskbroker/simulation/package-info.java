/// Runs whole brokers in a simulated world: one seed decides everything that happens, and a ledger
/// checks every guarantee.
@NullMarked
package io.taskbroker.simulation;

import org.jspecify.annotations.NullMarked;
