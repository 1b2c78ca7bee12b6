package org.lenetedge.core

/** How often a check loads a model: where its memory happens to lie makes it faster or slower. */
const val LOADS = 6
private const val RUNS = 60

/**
 * A check of one [opening] of [model]: the [verdict] over its golden inputs with all scores as [stored], and times. [run]
 * includes copying in and out, [invoke] does not (null if unknown), [loading] is from the file to the
 * first answer, [loads] each load's median of [run] in microseconds.
 */
class Check(
    val model: GoldenModel,
    val opening: Opening,
    val output: TensorEnd,
    val verdict: GoldenVerdict,
    val stored: List<FloatArray>,
    val run: Spread,
    val invoke: Spread?,
    val loading: Spread,
    val loads: List<Double>,
)

/**
 * Loads a model [LOADS] times by [open], reads its golden inputs with the first and times the others too.
 * [progress] gets the number of loads done. Each reader is closed. Throws [NoAnswer].
 */
fun check(open: () -> Reader, progress: (Int) -> Unit = {}): Check {
    val times = Times()
    var first: Seen? = null
    repeat(LOADS) { done ->
        progress(done)
        val start = System.nanoTime()
        open().use { reader ->
            val inputs = reader.model.inputs
            reader.read(inputs[0])
            times.loading += System.nanoTime() - start
            if (first == null) first = seen(reader)
            times.add(List(RUNS) { reader.read(inputs[it % inputs.size]) })
        }
    }
    return checkNotNull(first).with(times)
}

private class Seen(
    val model: GoldenModel,
    val opening: Opening,
    val output: TensorEnd,
    val verdict: GoldenVerdict,
    val stored: List<FloatArray>,
) {
    fun with(times: Times) = Check(
        model,
        opening,
        output,
        verdict,
        stored,
        spreadOf(times.run),
        if (times.invoke.isEmpty()) null else spreadOf(times.invoke),
        spreadOf(times.loading),
        times.loads,
    )
}

private fun seen(reader: Reader): Seen {
    val stored = reader.model.inputs.map { reader.read(it).stored }
    return Seen(reader.model, reader.opening, reader.output, reader.model.judge(stored), stored)
}

private class Times {
    val run = mutableListOf<Long>()
    val invoke = mutableListOf<Long>()
    val loading = mutableListOf<Long>()
    val loads = mutableListOf<Double>()

    fun add(readings: List<Reading>) {
        run += readings.map { it.nanos }
        invoke += readings.mapNotNull { it.invokeNanos }
        loads += spreadOf(readings.map { it.nanos }).p50
    }
}
