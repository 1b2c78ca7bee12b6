package org.lenetedge.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test

class AnswerTest {
    private val scores = floatArrayOf(0.125f, 0.75f, 0.125f)

    @Test
    fun theDigitIsTheLargestScore() {
        val answer = Answer(scores, unsureBelow = 0.5)
        assertEquals(1, answer.digit)
        assertEquals(0.75f, answer.probability)
    }

    @Test
    fun anAnswerIsSureFromTheThresholdOn() {
        assertEquals(listOf(true, true, false), listOf(0.7, 0.75, 0.76).map { Answer(scores, it).sure })
    }

    @Test
    fun withoutScoresThereIsNoAnswer() {
        assertThrows(IllegalStateException::class.java) { Answer(FloatArray(0), 0.5) }
    }
}
