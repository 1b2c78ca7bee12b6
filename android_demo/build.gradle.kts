// Named here once, so that both modules load the same plugin classes: AGP 9 compiles Kotlin itself, with this version.
plugins {
    alias(libs.plugins.android.application) apply false
    alias(libs.plugins.kotlin.jvm) apply false
}
