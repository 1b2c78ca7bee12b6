package org.lenetedge.demo

import android.app.ActivityManager
import android.content.ClipData
import android.content.Context
import android.content.Intent
import android.content.res.Configuration
import android.os.Build
import org.lenetedge.core.Check
import org.lenetedge.core.Machine
import org.lenetedge.core.ResultsJson
import java.time.Instant
import java.time.temporal.ChronoUnit
import java.util.Locale

/** Makes a check's report, and shares it as a file and as text. */
class Results(private val context: Context) {
    /** Returns the JSON of [check] and keeps it for the [ResultsProvider]; reasons are in English. */
    fun report(check: Check, runtimeVersion: String): String {
        val date = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString()
        val report = ResultsJson(machine(), runtimeVersion, version(), english()::reason)
            .of(date, listOf(check), emptyList())
            .toString(1)
        ResultsProvider.keep(context, report)
        return report
    }

    /** Returns the intent that asks the user where to send the results. */
    fun shared(checked: Checked): Intent {
        val name = checked.check.model.file
        val send = Intent(Intent.ACTION_SEND).apply {
            type = ResultsProvider.TYPE
            if (ResultsProvider.file(context).exists()) attach()
            putExtra(Intent.EXTRA_TEXT, checked.report)
            putExtra(Intent.EXTRA_SUBJECT, context.getString(R.string.results_of, name))
        }
        return Intent.createChooser(send, context.getString(R.string.share_results))
    }

    private fun Intent.attach() {
        clipData = ClipData.newRawUri(null, ResultsProvider.address) // grants the chosen app access
        putExtra(Intent.EXTRA_STREAM, ResultsProvider.address)
        addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION)
    }

    private fun machine() = Machine(
        system = "Android ${Build.VERSION.RELEASE} (API ${Build.VERSION.SDK_INT})",
        architecture = Build.SUPPORTED_ABIS.first(),
        processor = processor(),
        processors = Runtime.getRuntime().availableProcessors(),
        board = "${Build.MANUFACTURER} ${Build.MODEL}",
        memoryBytes = ActivityManager.MemoryInfo().also { manager().getMemoryInfo(it) }.totalMem,
    )

    private fun processor() =
        if (Build.VERSION.SDK_INT >= 31) "${Build.SOC_MANUFACTURER} ${Build.SOC_MODEL}" else Build.HARDWARE

    private fun manager() = checkNotNull(context.getSystemService(ActivityManager::class.java))

    private fun version(): String =
        context.packageManager.getPackageInfo(context.packageName, 0).versionName.orEmpty()

    private fun english(): Words {
        val configuration = Configuration(context.resources.configuration).apply { setLocale(Locale.ENGLISH) }
        return Words(context.createConfigurationContext(configuration).resources)
    }
}
