package org.lenetedge.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class StringDecoderTest {
    @Test
    fun theGoldenLinesAreReadAsInPython() {
        for (line in Fixtures.strings.lines) {
            val scores = line.scores.map { row ->
                Fixtures.strings.output.real(row).let { real -> DoubleArray(CLASSES) { real[it].toDouble() } }
            }
            assertReadAs(line.read, decode(scores), line.name)
        }
    }

    @Test
    fun scoresThatAreHardToDecideAreReadAsInPython() {
        assertTrue(Fixtures.strings.hard.size > 1)
        Fixtures.strings.hard.forEachIndexed { i, one ->
            assertReadAs(one.read, decode(one.scores), "hard $i")
        }
    }

    private fun assertReadAs(wanted: DigitString, found: DigitString, name: String) {
        assertEquals(name, wanted.text, found.text)
        assertEquals(name, wanted.probability, found.probability, WRITTEN)
        assertEquals(name, wanted.digits.map { it.digit }, found.digits.map { it.digit })
        for ((want, got) in wanted.digits.zip(found.digits)) {
            assertEquals(name, want.probability, got.probability, WRITTEN)
            assertEquals(name, want.left, got.left, WRITTEN * WIDEST)
            assertEquals(name, want.right, got.right, WRITTEN * WIDEST)
        }
    }

    /** "." is a window without a digit. */
    private fun rows(answers: String, sure: Double = 0.99) = answers.map { answer ->
        val digit = if (answer == '.') EMPTY else answer.digitToInt()
        DoubleArray(CLASSES) { if (it == digit) sure else (1 - sure) / EMPTY }
    }

    @Test
    fun thePathsRulesGiveTheText() {
        val cases = mapOf(
            "..11.." to "1",
            ".2." to "2",
            "..33.33.." to "33",
            "..445566.." to "456",
            "...." to "",
        )
        for ((answers, text) in cases) assertEquals(answers, text, decode(rows(answers)).text)
    }

    @Test
    fun neighboursShareTheColumnsBetweenTheirMiddles() {
        val (one, two) = decode(rows("..1122..")).digits
        assertEquals(one.right, two.left, 0.0)
        assertEquals(STEP * 3.5 + (FIELD - 1) / 2.0, one.right, 0.5)
    }

    @Test
    fun otherScoresAreRefused() {
        val even = DoubleArray(CLASSES) { 1.0 / CLASSES }
        val cases = mapOf(
            "no window" to emptyList(),
            "ten scores" to listOf(DoubleArray(10) { 0.1 }),
            "NaN" to listOf(even.clone().also { it[3] = Double.NaN }),
            "a score below 0" to listOf(even.clone().also { it[3] = -0.5 }),
            "another sum" to listOf(DoubleArray(CLASSES) { 0.5 }),
        )
        for ((name, scores) in cases) {
            val error = assertThrows(name, IllegalArgumentException::class.java) { decode(scores) }
            assertTrue(error.message, Regex("expected .*, got .*").matches(error.message.orEmpty()))
        }
    }

    private companion object {
        /** Nine digits are written; 1 - p keeps 16 less those that p and 1 share. */
        const val WRITTEN = 1e-8
    }
}
