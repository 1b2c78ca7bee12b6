package org.lenetedge.core

/** The last [capacity] durations in nanoseconds, and their order statistics in microseconds. */
class Latency(private val capacity: Int = 100) {
    private val last = ArrayDeque<Long>()

    val size: Int get() = last.size

    fun add(nanos: Long) {
        if (last.size == capacity) last.removeFirst()
        last.addLast(nanos)
    }

    fun clear() = last.clear()

    /** The smallest duration that [share] (0 to 1) of all do not exceed; null if there is none. */
    fun percentile(share: Double): Double? = if (last.isEmpty()) null else percentile(last.sorted(), share)

    /** All that reports contain; null if there is none. */
    fun spread(): Spread? = if (last.isEmpty()) null else spreadOf(last)
}

/** Microseconds of [samples] runs; fields as in docs/benchmark.md. */
data class Spread(
    val p50: Double,
    val p90: Double,
    val p99: Double,
    val mean: Double,
    val smallest: Double,
    val samples: Int,
)

/** Returns the spread of at least one duration in nanoseconds. */
fun spreadOf(nanos: Collection<Long>): Spread {
    require(nanos.isNotEmpty()) { "expected durations, got none" }
    val sorted = nanos.sorted()
    return Spread(
        p50 = percentile(sorted, 0.5),
        p90 = percentile(sorted, 0.9),
        p99 = percentile(sorted, 0.99),
        mean = sorted.average() / 1000,
        smallest = sorted.first() / 1000.0,
        samples = sorted.size,
    )
}

private fun percentile(sorted: List<Long>, share: Double): Double {
    val rank = Math.ceil(share * sorted.size).toInt().coerceIn(1, sorted.size)
    return sorted[rank - 1] / 1000.0
}
