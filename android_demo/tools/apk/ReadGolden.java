import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Collections;
import org.lenetedge.core.Delegate;
import org.lenetedge.core.Golden;
import org.lenetedge.core.Model;
import org.lenetedge.core.Offer;
import org.lenetedge.core.Opened;
import org.lenetedge.core.Reader;
import org.lenetedge.core.Request;
import org.lenetedge.core.Watch;
import org.lenetedge.demo.LiteRuntime;

/**
 * ReadGolden GOLDEN FOLDER: opens each model of FOLDER with each delegate as the app does, and reads the golden
 * pictures. R8 shrinks it with the app, as one more thing that is reached; rules.py says what for.
 */
public final class ReadGolden {
    public static void main(String[] arguments) throws IOException {
        Golden golden = Golden.Companion.parse(new String(Files.readAllBytes(Paths.get(arguments[0]))));
        LiteRuntime runtime = new LiteRuntime();
        System.out.println("TensorFlow Lite " + runtime.getVersion());
        for (Model model : Model.values()) {
            ByteBuffer content = read(Paths.get(arguments[1], model.getFile()));
            for (Delegate delegate : Delegate.values()) {
                open(runtime, content, delegate);
                Request request = new Request(model, delegate, 1);
                // The reader's own check throws if the scores are not the golden ones.
                try (Reader reader = new Reader(runtime, content, golden, request, OFFER, UNWATCHED)) {
                    reader.read(golden.getPictures().get(0).getPixels());
                    System.out.println(model.getFile() + ": asked " + delegate.getAsked() + ", ran " + ran(reader));
                }
            }
        }
    }

    private static final Offer OFFER = new Offer(35, true, Collections.emptySet());

    private static final Watch UNWATCHED = new Watch() {
        @Override
        public void trying(Delegate delegate) {}

        @Override
        public void survived(Delegate delegate) {}
    };

    private static String ran(Reader reader) {
        return reader.getOpening().getUsed().getAsked();
    }

    /** The reader falls back where a delegate lacks a class or a method: here it has to open, but for a GPU without OpenGL. */
    private static void open(LiteRuntime runtime, ByteBuffer content, Delegate delegate) {
        try (Opened opened = runtime.open(content, delegate, 1)) {
            opened.getPlan();
        } catch (RuntimeException error) {
            if (delegate != Delegate.GPU) throw error;
        }
    }

    private static ByteBuffer read(Path path) throws IOException {
        byte[] bytes = Files.readAllBytes(path);
        ByteBuffer direct = ByteBuffer.allocateDirect(bytes.length);
        direct.put(bytes).rewind();
        return direct;
    }
}
