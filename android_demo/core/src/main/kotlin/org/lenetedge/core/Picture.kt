package org.lenetedge.core

/** The side of the picture that the model reads, in pixels. */
const val PICTURE = 32
private const val MARGIN = 2

/**
 * Returns the picture of a drawing, 32 x 32 unsigned bytes row by row, or null if there is no ink.
 *
 * The same integers as `lenet_edge.picture.drawing.picture_of_drawing`, whose words hold here: the drawing's box to 20 x 20
 * by means over areas, its centre of mass to the middle of 28 x 28 (LeCun and others 1998, page 10), 2 pixels
 * around. golden.json has cases.
 */
fun pictureOf(ink: Ink): ByteArray? {
    val box = boxOf(ink) ?: return null
    val longer = maxOf(box.height, box.width)
    val digit = scaled(ink, box, target(box.height, longer), target(box.width, longer))
    val top = place(digit.size, digit.map { row -> row.sum() })
    val left = place(digit[0].size, digit[0].indices.map { column -> digit.sumOf { it[column] } })
    val picture = ByteArray(PICTURE * PICTURE)
    for ((i, row) in digit.withIndex()) {
        for ((j, value) in row.withIndex()) picture[(top + i) * PICTURE + left + j] = value.toByte()
    }
    return picture
}

private class Box(val top: Int, val left: Int, val height: Int, val width: Int)

private fun boxOf(ink: Ink): Box? {
    val rows = (0 until ink.height).filter { row -> (0 until ink.width).any { ink[row, it] != 0 } }
    if (rows.isEmpty()) return null
    val columns = (0 until ink.width).filter { column -> rows.any { ink[it, column] != 0 } }
    return Box(
        rows.first(),
        columns.first(),
        rows.last() - rows.first() + 1,
        columns.last() - columns.first() + 1,
    )
}

private fun target(side: Int, longer: Int): Int = maxOf(1, (2 * BOX * side + longer) / (2 * longer))

/** The mean of the box over height x width areas; sums reach 255 * 4096^2, so they are longs. */
private fun scaled(ink: Ink, box: Box, height: Int, width: Int): List<LongArray> {
    val down = overlaps(box.height, height)
    val across = overlaps(box.width, width)
    val area = box.height.toLong() * box.width
    return down.map { rows ->
        val line = LongArray(box.width) { c ->
            rows.sumOf { (r, weight) -> weight * ink[box.top + r, box.left + c] }
        }
        LongArray(width) { j ->
            (2 * across[j].sumOf { (c, weight) -> weight * line[c] } + area) / (2 * area)
        }
    }
}

/** For each target pixel, the source pixels under it, each with the length of their overlap. */
private fun overlaps(source: Int, target: Int): List<List<Pair<Int, Long>>> = List(target) { i ->
    val first = i * source / target
    val last = ((i + 1) * source - 1) / target
    (first..last).map { r ->
        r to (minOf((i + 1) * source, (r + 1) * target) - maxOf(i * source, r * target)).toLong()
    }
}

/** The first row or column in the picture of [size] lines with these [masses]. */
private fun place(size: Int, masses: List<Long>): Int {
    val total = masses.sum()
    val moment = masses.withIndex().sumOf { (i, mass) -> i * mass }
    val first = if (total > 0) Math.floorDiv(29 * total - 2 * moment, 2 * total).toInt() else 0
    return first.coerceIn(0, PICTURE - 2 * MARGIN - size) + MARGIN
}
