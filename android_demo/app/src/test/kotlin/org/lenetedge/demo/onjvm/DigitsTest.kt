package org.lenetedge.demo.onjvm

import org.junit.Assert.assertEquals
import org.junit.Test

class DigitsTest {
    /** golden.json's digits are calibration digits, padded by Python. */
    @Test
    fun `digits are padded and labelled as Python does it`() {
        val digits = Digits("calibration")
        val labels = digits.pictures.map { it.toList() }.zip(digits.labels).toMap()
        for (golden in OnJvm.golden.pictures.filter { it.label != null }) {
            assertEquals(golden.name, golden.label, labels[golden.pixels.toList()])
        }
    }
}
