package org.lenetedge.demo

import org.junit.Assert.assertEquals
import org.junit.Test

class NewestTest {
    private var now = 0L
    private val tasks = mutableListOf<Pair<Long, () -> Unit>>()
    private val done = mutableListOf<Pair<Long, Int>>()
    private val newest = Newest<Int>(
        gap = 40,
        now = { now },
        schedule = { delay, task -> tasks += now + delay to task },
        work = { done += now to it },
    )

    @Test
    fun `the first item is passed on at once`() {
        now = 7
        newest.offer(1)
        runTo(7)
        assertEquals(listOf(7L to 1), done)
    }

    @Test
    fun `of many items the newest is passed on, a gap after the one before`() {
        newest.offer(1)
        runTo(0)
        for (item in 2..9) {
            now = item.toLong()
            newest.offer(item)
        }
        assertEquals("expected one task to be queued", 1, tasks.size)
        runTo(100)
        assertEquals(listOf(0L to 1, 40L to 9), done)
    }

    @Test
    fun `an item that comes while another is worked on is passed on after it`() {
        lateinit var slow: Newest<Int>
        slow = Newest(40, { now }, { delay, task -> tasks += now + delay to task }, {
            done += now to it
            if (it == 1) {
                now += 100
                slow.offer(2)
                slow.offer(3)
            }
        })
        slow.offer(1)
        runTo(500)
        assertEquals(listOf(0L to 1, 100L to 3), done)
    }

    private fun runTo(end: Long) {
        while (true) {
            val next = tasks.filter { it.first <= end }.minByOrNull { it.first } ?: break
            tasks -= next
            now = maxOf(now, next.first)
            next.second()
        }
        now = maxOf(now, end)
    }
}
