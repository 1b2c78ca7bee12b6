package org.lenetedge.core

import kotlin.math.abs
import kotlin.math.exp
import kotlin.math.ln

/** The class of a window without a digit in its middle. */
const val EMPTY = 10

/** The classes of a window: ten digits and [EMPTY]. */
const val CLASSES = EMPTY + 1

/** Columns from one window to the next. */
const val STEP = 4

/** Columns of a window, and rows of a line. */
const val FIELD = 32

/** The least score, so that a 0 in an int8 file rules out no path. */
private const val FLOOR = 1e-6

/** Columns from a digit's middle to its side: windows do not show the sides. */
private const val HALF_DIGIT = 10.0

/** Of a row's sum: eleven scores, each rounded by up to half a step of 1/256. */
private const val SUM_TOLERANCE = 0.05

/**
 * Returns the string that [scores] are read as: [CLASSES] for each window, 0 to 1 with sum 1. Columns count from
 * the left of the first window.
 *
 * A port of `lenet_edge.runtime.string_decoder`, whose docstrings derive it; strings.json has cases. A digit holds
 * one window or several, [EMPTY] all others; a digit of a single window has [EMPTY] on both sides, and two equal
 * digits have [EMPTY] between them. The best of all such paths is the answer. A probability is a share of the
 * weight of all paths; weights are logarithms. Throws [IllegalArgumentException] for other scores.
 */
fun decode(scores: List<DoubleArray>): DigitString {
    val rows = checked(scores)
    val logs = rows.map { row -> DoubleArray(CLASSES) { ln(row[it]) } }
    val paths = Paths(logs)
    val runs = runsOf(paths.best())
    val text = runs.map { it.digit }
    val probabilities = runs.mapIndexed { i, run ->
        val free = if (i == 0) 0 else minOf(runs[i - 1].start + 2, rows.size)
        paths.shareWith(run.digit, maxOf(run.start - 1, free), minOf(run.start + 2, rows.size))
    }
    return DigitString(
        text.joinToString(""),
        share(textWeight(logs, text), paths.total),
        placed(rows, runs, probabilities),
    )
}

private fun checked(scores: List<DoubleArray>): List<DoubleArray> {
    require(scores.isNotEmpty()) { "expected scores of one window or more, got none" }
    return scores.map { row ->
        val sum = row.sum()
        val good = row.size == CLASSES && row.all { it >= 0 } && abs(sum - 1) <= SUM_TOLERANCE
        require(good) { "expected $CLASSES scores of sum 1, got ${row.size} of sum $sum" }
        DoubleArray(CLASSES) { row[it].coerceIn(FLOOR, 1.0) }
    }
}

/** The windows from [start] up to but excluding [stop], which hold one [digit]. */
private class Run(val digit: Int, val start: Int, val stop: Int)

// The states of a path at a window: a digit's only window (0 to 9), EMPTY (10), the first of several windows
// (11 to 20), a later one (21 to 30).
private const val FIRST = CLASSES
private const val LATER = FIRST + EMPTY
private const val STATES = LATER + EMPTY
private val DIGITS = 0 until EMPTY

private fun classOf(state: Int): Int = if (state <= EMPTY) state else (state - 1) % EMPTY

/** For each state the states that may come before it. A path begins and ends in [EMPTY]. */
private val BEFORE: List<IntArray> = List(STATES) { state ->
    val digit = classOf(state)
    when {
        state < EMPTY -> intArrayOf(EMPTY)
        state == EMPTY -> (DIGITS + EMPTY + DIGITS.map { LATER + it }).toIntArray()
        state < LATER -> (listOf(EMPTY) + (DIGITS - digit).map { LATER + it }).toIntArray()
        else -> intArrayOf(FIRST + digit, state)
    }
}

/** For each state the states that may come after it. */
private val AFTER: List<IntArray> = List(STATES) { state ->
    (0 until STATES).filter { state in BEFORE[it] }.toIntArray()
}

/** All paths through the windows, by their scores' [logs]. */
private class Paths(private val logs: List<DoubleArray>) {
    private val arriving = mutableListOf(onlyEmpty()).apply {
        for (row in logs) add(advanced(last(), row))
    }
    private val leaving = mutableListOf(beforeTheEnd()).apply {
        for (row in logs.asReversed()) add(0, retreated(first(), row))
    }

    /** The weight of all paths. */
    val total = summed(arriving.last(), BEFORE[EMPTY])

    /** Returns the states of the path with the most weight; of equals, the first. */
    fun best(): List<Int> {
        val came = mutableListOf<IntArray>()
        var weights = onlyEmpty()
        for (row in logs) {
            val best = IntArray(STATES) { heaviest(weights, BEFORE[it]) }
            weights = DoubleArray(STATES) { weights[best[it]] + row[classOf(it)] }
            came += best
        }
        val path = mutableListOf(heaviest(weights, BEFORE[EMPTY]))
        for (best in came.drop(1).asReversed()) path += best[path.last()]
        return path.asReversed()
    }

    /** Returns the share of the paths in which [digit] begins at a window from [start] up to [stop]. */
    fun shareWith(digit: Int, start: Int, stop: Int): Double {
        var weights = arriving[start]
        for (row in logs.subList(start, stop)) {
            weights = advanced(weights, row)
            weights[digit] = NEVER
            weights[FIRST + digit] = NEVER
        }
        return 1 - share(logSum(DoubleArray(STATES) { weights[it] + leaving[stop][it] }), total)
    }

    private fun advanced(before: DoubleArray, row: DoubleArray) =
        DoubleArray(STATES) { summed(before, BEFORE[it]) + row[classOf(it)] }

    private fun retreated(after: DoubleArray, row: DoubleArray): DoubleArray {
        val next = DoubleArray(STATES) { after[it] + row[classOf(it)] }
        return DoubleArray(STATES) { summed(next, AFTER[it]) }
    }
}

private const val NEVER = Double.NEGATIVE_INFINITY

private fun onlyEmpty() = DoubleArray(STATES) { if (it == EMPTY) 0.0 else NEVER }

private fun beforeTheEnd() = DoubleArray(STATES) { if (EMPTY in AFTER[it]) 0.0 else NEVER }

private fun heaviest(weights: DoubleArray, states: IntArray): Int =
    states.reduce { best, state -> if (weights[state] > weights[best]) state else best }

private fun runsOf(path: List<Int>): List<Run> {
    val starts = path.indices.filter { path[it] < LATER }
    return starts.mapIndexed { i, start ->
        Run(classOf(path[start]), start, starts.getOrElse(i + 1) { path.size })
    }.filter { it.digit != EMPTY }
}

/** Returns the weight of all paths that read as [text], by the number of digits read so far and by state. */
private fun textWeight(logs: List<DoubleArray>, text: List<Int>): Double {
    val shown = listOf(EMPTY) + text
    val next = text + EMPTY
    var empty = DoubleArray(shown.size) { if (it == 0) 0.0 else NEVER }
    var alone = DoubleArray(shown.size) { NEVER }
    var first = alone
    var later = alone
    for (row in logs) {
        val toFirst = DoubleArray(shown.size) { i ->
            if (shown[i] == next[i]) empty[i] else logSum(doubleArrayOf(empty[i], later[i]))
        }
        val toEmpty = DoubleArray(shown.size) { logSum(doubleArrayOf(empty[it], alone[it], later[it])) }
        later = DoubleArray(shown.size) { logSum(doubleArrayOf(first[it], later[it])) + row[shown[it]] }
        alone = DoubleArray(shown.size) { if (it == 0) NEVER else empty[it - 1] + row[shown[it]] }
        first = DoubleArray(shown.size) { if (it == 0) NEVER else toFirst[it - 1] + row[shown[it]] }
        empty = DoubleArray(shown.size) { toEmpty[it] + row[EMPTY] }
    }
    return logSum(doubleArrayOf(empty.last(), alone.last(), later.last()))
}

private fun summed(weights: DoubleArray, states: IntArray): Double =
    logSum(DoubleArray(states.size) { weights[states[it]] })

/** Returns the logarithm of the sum of what has these [logs]. */
private fun logSum(logs: DoubleArray): Double {
    val most = logs.max()
    return if (most == NEVER) NEVER else most + ln(logs.sumOf { exp(it - most) })
}

/** Returns [weight] as a share of [total]. */
private fun share(weight: Double, total: Double): Double = exp(minOf(weight - total, 0.0))

private fun placed(rows: List<DoubleArray>, runs: List<Run>, probabilities: List<Double>): List<ReadDigit> {
    val middles = runs.map { middleOf(rows, it) }
    return runs.mapIndexed { i, run ->
        val before = if (i == 0) NEVER else (middles[i - 1] + middles[i]) / 2
        val after = if (i == runs.lastIndex) Double.POSITIVE_INFINITY else (middles[i] + middles[i + 1]) / 2
        ReadDigit(
            run.digit,
            probabilities[i],
            left = maxOf(middles[i] - HALF_DIGIT, before),
            right = minOf(middles[i] + HALF_DIGIT, after),
        )
    }
}

/** Returns the column of a digit's middle: the mean of its windows' middles, weighted with its scores. */
private fun middleOf(rows: List<DoubleArray>, run: Run): Double {
    val windows = run.start until run.stop
    val mean = windows.sumOf { it * rows[it][run.digit] } / windows.sumOf { rows[it][run.digit] }
    return STEP * mean.coerceIn(run.start.toDouble(), run.stop - 1.0) + (FIELD - 1) / 2.0
}
