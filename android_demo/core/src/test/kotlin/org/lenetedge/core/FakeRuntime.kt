package org.lenetedge.core

import java.nio.ByteBuffer

/** What happens to a delegate in [FakeRuntime]. */
enum class Fate {
    WORKS,
    TAKES_SOME,
    THROWS,
    LACKS_LIBRARY,
    TAKES_NOTHING,
    FIRST_RUN_THROWS,
    RUN_LACKS_FUNCTION,
    DEVIATES,
    LATER_RUN_THROWS,
    CLOSES_BADLY,
}

/**
 * Opens what [fates] say and counts it; answers the golden pictures as golden.json does. A delegate's closing is
 * counted too: twice for one opening is the reader's error.
 */
class FakeRuntime(
    private val golden: Golden,
    private val model: Model,
    private val fates: Map<Delegate, Fate>,
) : Runtime {
    val log = mutableListOf<String>()
    val open = mutableListOf<Fake>()

    override val version = "fake"

    override fun open(model: ByteBuffer, delegate: Delegate, threads: Int): Opened {
        log += "open $delegate"
        return when (val fate = fates[delegate] ?: Fate.WORKS) {
            Fate.THROWS -> throw IllegalStateException("no driver\nat some address")
            Fate.LACKS_LIBRARY -> throw UnsatisfiedLinkError("no library")
            else -> Fake(delegate, fate).also { open += it }
        }
    }

    inner class Fake(private val delegate: Delegate, private val fate: Fate) : Opened {
        private val file = golden.of(model)
        private var runs = 0
        var closings = 0
            private set

        override val input = TensorEnd(TensorType.UINT8, PICTURE * PICTURE, 1f, 0)
        override val output = TensorEnd(TensorType.UINT8, 10, 1f / 256, 0)
        override val plan = Plan(18, left())
        override val invokeNanos: Long? = 1500L

        override fun run(picture: ByteBuffer, answer: ByteBuffer) {
            check(closings == 0) { "expected an open interpreter, got a closed one" }
            runs += 1
            if (fate == Fate.FIRST_RUN_THROWS) throw IllegalArgumentException("")
            if (fate == Fate.RUN_LACKS_FUNCTION) throw UnsatisfiedLinkError("no function")
            val later = runs > golden.pictures.size
            if (fate == Fate.LATER_RUN_THROWS && later) throw IllegalStateException("context lost")
            val pixels = ByteArray(PICTURE * PICTURE).also { picture.get(it) }
            val place = golden.pictures.indexOfFirst { it.pixels.contentEquals(pixels) }
            val scores = file.scores[maxOf(place, 0)].map { it.toInt().toByte() }.toByteArray()
            if (fate == Fate.DEVIATES && place in 0..1) scores.reverse()
            answer.put(scores)
        }

        private fun left() = when {
            delegate == Delegate.NONE || fate == Fate.TAKES_NOTHING -> 18
            fate == Fate.TAKES_SOME -> 4
            else -> 1
        }

        override fun close() {
            closings += 1
            log += "close $delegate"
            if (fate == Fate.CLOSES_BADLY) throw IllegalStateException("closing failed")
        }
    }
}
