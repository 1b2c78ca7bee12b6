package org.lenetedge.demo

import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.drawable.AdaptiveIconDrawable
import android.view.View
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.lenetedge.core.Delegate
import org.lenetedge.core.Reason
import org.lenetedge.core.Task
import org.lenetedge.demo.FakeRuntime.Companion.scores
import org.lenetedge.demo.Stage.Companion.LANDSCAPE
import org.lenetedge.demo.Stage.Companion.PORTRAIT
import org.lenetedge.demo.Stage.Companion.SEVEN
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** Draws the screen in many forms to build/screens, for people to look at. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], application = TestApplication::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class ScreensTest {
    @Test
    fun `a phone, before and after a drawing`() = Stage().use {
        it.awaitRunning(Stage.XNNPACK_RUNS)
        it.picture("empty")
        it.seven()
        it.picture("phone")
    }

    @Test
    fun `a phone in the dark, with all of the screen`() = Stage(DARK.replace("h891dp", "h1360dp")).use {
        it.seven()
        it.check()
        it.picture("dark")
    }

    @Test
    fun `a phone turned`() = Stage().use {
        it.seven()
        it.turn(LANDSCAPE)
        it.awaitDigit("7")
        it.awaitQuiet()
        it.picture("landscape")
    }

    @Test
    fun `a tablet both ways`() = Stage("en-sw800dp-w800dp-h1280dp-port-notnight-xhdpi").use {
        it.seven()
        it.picture("tablet")
        it.turn("w1280dp-h800dp-land")
        it.awaitQuiet()
        it.picture("tablet_landscape")
    }

    @Test
    fun german() = Stage("de-w411dp-h1400dp-port-notnight-420dpi").use {
        it.seven()
        it.app.fake.opening = { delegate -> check(delegate != Delegate.NNAPI) { "kein Treiber" } }
        it.choose(R.id.delegates, "NNAPI")
        it.awaitWarning("NNAPI läuft nicht. Erzeugen gescheitert: kein Treiber")
        it.awaitWarning("NNAPI gilt seit Android 15 als veraltet. Noch funktioniert es.")
        it.check()
        assertTrue("Bestanden auf XNNPACK." in it.words(R.id.verdict))
        it.picture("german")
    }

    @Test
    fun `unsure in light and dark`() {
        for ((name, form) in listOf("unsure" to PORTRAIT, "unsure_dark" to DARK)) {
            Stage(form).use {
                it.app.fake.scores = scores(7, 0.55f)
                it.seven()
                it.picture(name)
            }
        }
    }

    @Test
    fun `a fallback`() = Stage { it.listed = false }.use {
        it.seven()
        it.choose(R.id.delegates, "GPU")
        it.awaitWarning("GPU does not run.")
        it.awaitQuiet()
        it.picture("fallback")
    }

    @Test
    fun `a model that cannot be used`() = Stage { it.spoilt["lenet5_int8_qat.tflite"] = null }.use {
        it.awaitWarning("missing")
        it.picture("trouble")
    }

    @Test
    fun `letters one and a half times as large`() {
        RuntimeEnvironment.setFontScale(1.5f)
        Stage("en-w411dp-h1640dp-port-notnight-420dpi").use {
            it.seven()
            it.check()
            it.picture("large_letters")
        }
    }

    @Test
    fun `a wide canvas before and after an unsure line, and a narrow screen`() {
        for ((name, form) in listOf("line_unsure" to PORTRAIT, "line_unsure_dark" to DARK)) {
            Stage(form) { app ->
                app.settings.request = app.settings.request.copy(task = Task.LINE)
                app.fake.sureness = 0.7f
            }.use {
                it.awaitRunning(Stage.XNNPACK_RUNS)
                it.picture(name.replace("unsure", "empty"))
                for (stroke in Stage.ONES) it.draw(*stroke)
                it.awaitString("111")
                it.awaitQuiet()
                it.picture(name)
            }
        }
        Stage("en-w320dp-h1000dp-port-notnight-xhdpi") { app ->
            app.settings.request = app.settings.request.copy(task = Task.DIGIT)
        }.use {
            it.seven()
            it.picture("narrow")
        }
    }

    @Test
    fun `the launcher's icon`() {
        val side = 432
        val bitmap = Bitmap.createBitmap(side, side, Bitmap.Config.ARGB_8888)
        val app = RuntimeEnvironment.getApplication()
        val icon = app.getDrawable(R.mipmap.ic_launcher) as AdaptiveIconDrawable
        icon.setBounds(0, 0, side, side)
        icon.draw(Canvas(bitmap))
        save(bitmap, "icon")
        assertEquals(app.getColor(R.color.icon_ground), bitmap.getPixel(side / 2, side / 8))
        assertTrue((0 until side).any { bitmap.getPixel(it, side / 2) == Color.WHITE })
    }

    @Test
    fun `every text keeps its contrast, by day and by night`() {
        for (form in listOf(PORTRAIT, DARK)) {
            RuntimeEnvironment.setQualifiers("+$form")
            val app = RuntimeEnvironment.getApplication()
            for ((front, back) in PAIRS) {
                val ratio = contrast(app.getColor(front), app.getColor(back))
                val names = listOf(front, back).joinToString(" on ") {
                    app.resources.getResourceEntryName(it)
                }
                assertTrue("expected 4.5 for $names in $form, got $ratio", ratio >= 4.5)
            }
        }
    }

    @Test
    fun `every reason is a sentence of its own in both languages`() {
        val reasons = listOf(
            Reason.TooOld(27, 26),
            Reason.NotListed,
            Reason.EndedTheApp,
            Reason.NotCreated("why"),
            Reason.TookNothing(18),
            Reason.RunFailed("why"),
            Reason.Deviates(1, 23),
        )
        val sentences = listOf("en", "de").flatMap { language ->
            RuntimeEnvironment.setQualifiers("+$language")
            reasons.map { Words(RuntimeEnvironment.getApplication().resources).reason(it) }
        }
        assertEquals(sentences.size, sentences.toSet().size)
        assertFalse(sentences.any { it.isBlank() || '%' in it })
        assertTrue(sentences.contains("It needs Android API level 27, and this device has 26."))
    }

    @Test
    fun `less than all is never told as all`() {
        RuntimeEnvironment.setQualifiers("+en")
        val words = Words(RuntimeEnvironment.getApplication().resources)
        assertEquals(listOf("99.9%", "100%", "50%"), listOf(0.99999, 1.0, 0.5).map { words.percent(it) })
    }

    private fun Stage.seven() {
        draw(*SEVEN)
        awaitDigit("7")
        awaitQuiet()
    }

    private fun Stage.check() {
        tap(R.id.check)
        await("the verdict") { activity.view<View>(R.id.share).isEnabled }
    }

    private fun contrast(a: Int, b: Int): Double {
        val (dark, light) = listOf(Color.luminance(a).toDouble(), Color.luminance(b).toDouble()).sorted()
        return (light + 0.05) / (dark + 0.05)
    }

    private companion object {
        val DARK = PORTRAIT.replace("notnight", "night")
        val PAIRS = listOf(
            R.color.ink to R.color.sheet,
            R.color.ink to R.color.track,
            R.color.quiet to R.color.sheet,
            R.color.quiet to R.color.track,
            R.color.accent to R.color.sheet,
            R.color.accent to R.color.track,
            R.color.unsure to R.color.sheet,
            R.color.on_accent to R.color.accent,
        )
    }
}
