/// What fuzz targets have in common. Each target is beside the class that it feeds, and is called
/// `...FuzzTest`.
@NullMarked
package io.taskbroker.fuzz;

import org.jspecify.annotations.NullMarked;
