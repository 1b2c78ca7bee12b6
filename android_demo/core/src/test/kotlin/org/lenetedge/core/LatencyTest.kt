package org.lenetedge.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Test

class LatencyTest {
    @Test
    fun percentilesAreOfTheLastRunsInMicroseconds() {
        val latency = Latency(capacity = 4)
        assertNull(latency.percentile(0.5))
        listOf(9_000_000L, 4_000L, 1_000L, 3_000L, 2_000L).forEach { latency.add(it) }
        assertEquals(4, latency.size)
        assertEquals(2.0, latency.percentile(0.5))
        assertEquals(4.0, latency.percentile(0.95))
        latency.clear()
        assertNull(latency.spread())
    }

    @Test
    fun aSpreadTellsAllThatReportsHave() {
        val spread = spreadOf((1L..1000L).map { it * 1000 }.shuffled())
        assertEquals(Spread(500.0, 900.0, 990.0, 500.5, 1.0, 1000), spread)
        assertThrows(IllegalArgumentException::class.java) { spreadOf(emptyList()) }
    }
}
