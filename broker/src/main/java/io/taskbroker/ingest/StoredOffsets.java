package io.taskbroker.ingest;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// What the store knows of what was consumed.
///
/// @param watermarks how far each partition was; read once, when reading begins
/// @param lows from which offset on records of each partition may be in flight, as far as is known;
///   read by any thread at any time
public record StoredOffsets(
    Supplier<List<Watermark>> watermarks, Supplier<Map<SourcePartition, Long>> lows) {}
