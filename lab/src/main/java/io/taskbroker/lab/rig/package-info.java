/// Parts shared by the demo and the soak: output directory, library log, readers of topics and of
/// leftover work, shutdown hook. Depends on neither of them.
@NullMarked
package io.taskbroker.lab.rig;

import org.jspecify.annotations.NullMarked;
