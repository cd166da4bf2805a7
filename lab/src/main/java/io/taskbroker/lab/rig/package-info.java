/// What the demo and the soak are both built of: a directory, a log for libraries, readers of what
/// is left and of what came out, a stop that can be waited for. Knows of neither of them.
@NullMarked
package io.taskbroker.lab.rig;

import org.jspecify.annotations.NullMarked;
