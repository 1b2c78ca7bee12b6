package org.lenetedge.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.nio.ByteBuffer

class ReaderTest {
    private val golden = Fixtures.golden
    private val model = Model.INT8_QAT
    private val picture = golden.pictures[3].pixels
    private val watched = mutableListOf<String>()
    private val watch = object : Watch {
        override fun trying(delegate: Delegate) {
            watched += "trying $delegate"
        }

        override fun survived(delegate: Delegate) {
            watched += "survived $delegate"
        }
    }

    private fun reader(runtime: Runtime, delegate: Delegate, offer: Offer = Offer(35, true)) =
        Reader(runtime, ByteBuffer.allocate(0), golden.of(model), Request(model, delegate, 1), offer, watch)

    private fun runtime(vararg fates: Pair<Delegate, Fate>) = FakeRuntime(golden, model, fates.toMap())

    @Test
    fun aDelegateThatWorksReadsWhatGoldenHas() {
        val runtime = runtime()
        reader(runtime, Delegate.GPU).use { reader ->
            assertEquals(
                Opening(Request(model, Delegate.GPU, 1), Delegate.GPU, Share(18, 18), emptyList()),
                reader.opening,
            )
            val reading = reader.read(picture)
            assertArrayEquals(golden.of(model).scores[3], reading.stored, 0f)
            assertEquals(golden.of(model).scores[3][2] / 256, reading.scores[2])
            assertEquals(1500L, reading.invokeNanos)
            assertTrue(reading.nanos > 0)
        }
        assertEquals(listOf("open GPU", "close GPU"), runtime.log)
        assertEquals(listOf("trying GPU", "survived GPU"), watched)
    }

    @Test
    fun whatIsNotTriedIsNotWatched() {
        reader(runtime(), Delegate.GPU, Offer(35, gpuListed = false)).use {
            assertEquals(listOf(Refusal(Delegate.GPU, Reason.NotListed)), it.opening.refusals)
        }
        assertEquals(listOf("trying XNNPACK", "survived XNNPACK"), watched)
    }

    @Test
    fun theReasonsOfAWholeRetreatAreKeptInOrder() {
        val runtime = runtime(Delegate.GPU to Fate.DEVIATES, Delegate.XNNPACK to Fate.THROWS)
        reader(runtime, Delegate.GPU).use { reader ->
            assertEquals(Delegate.NONE, reader.opening.used)
            val reasons = reader.opening.refusals.map { it.reason }
            assertEquals(listOf(Reason.Deviates(2, 23), Reason.NotCreated("no driver")), reasons)
        }
        assertEquals(listOf("open GPU", "close GPU", "open XNNPACK", "open NONE", "close NONE"), runtime.log)
    }

    @Test
    fun aMissingLibraryIsAReasonLikeAnother() {
        reader(runtime(Delegate.GPU to Fate.LACKS_LIBRARY), Delegate.GPU).use {
            assertEquals(Reason.NotCreated("no library"), it.opening.refusals.single().reason)
        }
    }

    @Test
    fun aMissingFunctionIsAReasonLikeAnother() {
        reader(runtime(Delegate.GPU to Fate.RUN_LACKS_FUNCTION), Delegate.GPU).use {
            assertEquals(Reason.RunFailed("no function"), it.opening.refusals.single().reason)
        }
    }

    @Test
    fun aFailureWithoutWordsIsNamedByItsKind() {
        reader(runtime(Delegate.NNAPI to Fate.FIRST_RUN_THROWS), Delegate.NNAPI).use {
            assertEquals(Reason.RunFailed("IllegalArgumentException"), it.opening.refusals.single().reason)
        }
    }

    @Test
    fun aDelegateThatDiesLaterGivesTheAnswerOfTheNext() {
        val runtime = runtime(Delegate.GPU to Fate.LATER_RUN_THROWS)
        reader(runtime, Delegate.GPU).use { reader ->
            assertEquals(Delegate.GPU, reader.opening.used)
            assertArrayEquals(golden.of(model).scores[3], reader.read(picture).stored, 0f)
            assertEquals(Delegate.XNNPACK, reader.opening.used)
            assertEquals(Reason.RunFailed("context lost"), reader.opening.refusals.single().reason)
        }
        assertEquals(listOf("open GPU", "close GPU", "open XNNPACK", "close XNNPACK"), runtime.log)
    }

    @Test
    fun withoutAnyAnswerItSaysSo() {
        val runtime = runtime(Delegate.XNNPACK to Fate.TAKES_NOTHING, Delegate.NONE to Fate.DEVIATES)
        val error = assertThrows(NoAnswer::class.java) { reader(runtime, Delegate.XNNPACK) }
        assertEquals(Reason.Deviates(2, 23), error.reason)
        assertTrue(runtime.open.all { it.closings == 1 })
    }

    @Test
    fun aClosedReaderReadsNothing() {
        val reader = reader(runtime(), Delegate.NONE)
        reader.close()
        reader.close()
        assertThrows(IllegalStateException::class.java) { reader.read(picture) }
    }

    /** Each of three delegates with each fate: 1,000 ways to fail or not. */
    @Test
    fun whateverFailsInWhateverOrderAllIsClosedOnce() {
        for (gpu in Fate.values()) {
            for (xnnpack in Fate.values()) {
                for (none in Fate.values()) isClosedOnce(gpu, xnnpack, none)
            }
        }
    }

    private fun isClosedOnce(gpu: Fate, xnnpack: Fate, none: Fate) {
        val runtime = runtime(Delegate.GPU to gpu, Delegate.XNNPACK to xnnpack, Delegate.NONE to none)
        try {
            reader(runtime, Delegate.GPU).use { reader -> repeat(2) { reader.read(picture) } }
        } catch (expected: NoAnswer) {
            val working = setOf(Fate.WORKS, Fate.TAKES_SOME, Fate.CLOSES_BADLY)
            assertTrue("$gpu, $xnnpack, $none", none !in working)
        }
        assertTrue("$gpu, $xnnpack, $none: ${runtime.log}", runtime.open.all { it.closings == 1 })
    }
}
