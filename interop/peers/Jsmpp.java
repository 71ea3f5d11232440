import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Date;
import java.util.HexFormat;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.jsmpp.bean.*;
import org.jsmpp.extra.NegativeResponseException;
import org.jsmpp.extra.ProcessRequestException;
import org.jsmpp.session.*;
import org.jsmpp.util.DeliveryReceiptState;
import org.jsmpp.util.MessageId;

/**
 * jSMPP as a message centre (`smsc PORT`) or as a client (`esme`), led by lines on standard input: words with a tab
 * between them. What happens is told by lines of JSON on standard output.
 */
public class Jsmpp {
    static final TypeOfNumber TON = TypeOfNumber.INTERNATIONAL;
    static final NumberingPlanIndicator NPI = NumberingPlanIndicator.ISDN;
    static final String PASSWORD = "secret";
    static final int INVALID_PASSWORD = 0x0E, CANNOT = 0x03;
    static final int UDHI = 0x40;
    static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    public static void main(String[] words) throws Exception {
        Acts acts = words[0].equals("smsc") ? new Centre(Integer.parseInt(words[1])) : new Client();
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = lines.readLine()) != null; ) {
            String[] said = line.split("\t", -1);
            try {
                acts.act(said[0], Arrays.copyOfRange(said, 1, said.length));
            } catch (NegativeResponseException refused) {
                tell("submit_sm_resp", "status", refused.getCommandStatus(), "message_id", "");
            } catch (Exception error) {
                tell("error", "words", error.toString());
            }
        }
        System.exit(0);
    }

    interface Acts {
        void act(String name, String[] words) throws Exception;
    }

    // --- what is told ----------------------------------------------------------------------

    static void tell(String event, Object... more) {
        var told = new StringBuilder("{\"event\":" + json(event));
        for (int n = 0; n < more.length; n += 2) {
            told.append(",").append(json(more[n])).append(":").append(json(more[n + 1]));
        }
        OUT.println(told.append("}"));
    }

    static String json(Object value) {
        if (value instanceof Object[] list) {
            return Arrays.stream(list).map(Jsmpp::json).collect(Collectors.joining(",", "[", "]"));
        }
        if (!(value instanceof String text)) {
            return String.valueOf(value);
        }
        var escaped = text.chars().mapToObj(
            c -> c < 32 || c == '"' || c == '\\' ? "\\u%04x".formatted(c) : "" + (char) c);
        return escaped.collect(Collectors.joining("", "\"", "\""));
    }

    static Object[] told(MessageRequest message) {
        var payload = message.getOptionalParameter(OptionalParameter.Message_payload.class);
        byte[] octets = payload == null ? message.getShortMessage() : payload.getValue();
        int header = (message.getEsmClass() & UDHI) == 0 ? 0 : 1 + octets[0];
        var text = Arrays.copyOfRange(octets, header, octets.length);
        return new Object[] {
            "source", message.getSourceAddr(),
            "destination", message.getDestAddress(),
            "tons", new Object[] {
                message.getSourceAddrTon(), message.getSourceAddrNpi(),
                message.getDestAddrTon(), message.getDestAddrNpi(),
            },
            "esm_class", message.getEsmClass(),
            "data_coding", message.getDataCoding(),
            "registered_delivery", message.getRegisteredDelivery(),
            "text", new String(text, charset(message.getDataCoding())),
            "udh", HexFormat.of().formatHex(octets, Math.min(1, header), header),
            "sar", sar(message),
            "is_payload", payload != null,
        };
    }

    static Object[] sar(MessageRequest message) {
        var reference = message.getOptionalParameter(OptionalParameter.Sar_msg_ref_num.class);
        if (reference == null) {
            return new Object[0];
        }
        var total = message.getOptionalParameter(OptionalParameter.Sar_total_segments.class);
        var number = message.getOptionalParameter(OptionalParameter.Sar_segment_seqnum.class);
        return new Object[] {reference.getValue() & 0xFFFF, total.getValue(), number.getValue()};
    }

    static Charset charset(byte coding) {
        return coding == 8 ? StandardCharsets.UTF_16BE : StandardCharsets.ISO_8859_1;
    }

    /** What its timer does, now; it raises where the answer does not come. */
    static void enquire(AbstractSession session) throws ReflectiveOperationException {
        var sending = AbstractSession.class.getDeclaredMethod("sendEnquireLink");
        sending.setAccessible(true);
        sending.invoke(session);
        tell("enquire_link_resp", "status", 0);
    }

    // --- what is sent: SOURCE DESTINATION CODING TEXT UDH -----------------------------------

    static byte coding(String[] words) {
        return Byte.parseByte(words[2]);
    }

    static byte[] octets(String[] words) {
        byte[] text = words[3].getBytes(charset(coding(words)));
        byte[] header = words.length > 4 ? HexFormat.of().parseHex(words[4]) : new byte[0];
        byte[] both = Arrays.copyOf(header, header.length + text.length);
        System.arraycopy(text, 0, both, header.length, text.length);
        return both;
    }

    static ESMClass esmClass(String[] words) {
        return new ESMClass(words.length > 4 && !words[4].isEmpty() ? UDHI : 0);
    }

    // --- a message centre ------------------------------------------------------------------

    static class Centre implements Acts, ServerMessageReceiverListener {
        final ScheduledExecutorService soon = Executors.newScheduledThreadPool(2);
        final AtomicInteger ids = new AtomicInteger(), refusals = new AtomicInteger();
        volatile int refusal;
        volatile SMPPServerSession session;

        Centre(int port) throws IOException {
            var listener = new SMPPServerSessionListener(port);
            tell("listening");
            soon.execute(() -> {
                while (true) {
                    try {
                        greet(listener.accept());
                    } catch (Exception error) {
                        tell("error", "words", error.toString());
                    }
                }
            });
        }

        void greet(SMPPServerSession opened) throws Exception {
            opened.setMessageReceiverListener(this);
            opened.addSessionStateListener((now, before, which) -> {
                switch (now) {
                    case UNBOUND -> tell("unbind");
                    case CLOSED -> tell("lost");
                    default -> { }
                }
            });
            BindRequest bind = opened.waitForBind(5000);
            int status = bind.getPassword().equals(PASSWORD) ? 0 : INVALID_PASSWORD;
            tell("bind", "kind", "bind_" + kind(bind.getBindType()), "system_id", bind.getSystemId(),
                "interface_version", bind.getInterfaceVersion().value(), "status", status);
            if (status != 0) {
                bind.reject(status);
                return;
            }
            session = opened;
            bind.accept("jsmpp", InterfaceVersion.IF_34);
        }

        static String kind(BindType type) {
            return switch (type) {
                case BIND_TX -> "transmitter";
                case BIND_RX -> "receiver";
                case BIND_TRX -> "transceiver";
            };
        }

        public void act(String name, String[] words) throws Exception {
            switch (name) {
                case "refuse" -> {
                    refusal = Integer.parseInt(words[0]);
                    refusals.set(Integer.parseInt(words[1]));
                }
                case "send" -> deliver(session, words[0], words[1], esmClass(words), coding(words), octets(words));
                case "payload" -> deliver(session, words[0], words[1], new ESMClass(), coding(words), new byte[0],
                    new OptionalParameter.Message_payload(octets(words)));
                case "unbind" -> {
                    session.unbind();
                    tell("unbind_resp", "status", 0);
                    session.close();
                }
                case "cut" -> session.close();
                case "enquire" -> enquire(session);
                default -> throw new IllegalArgumentException(name);
            }
        }

        void deliver(SMPPServerSession by, String source, String destination, ESMClass esmClass, byte coding,
                byte[] octets, OptionalParameter... tlvs) throws Exception {
            int status = 0;
            try {
                by.deliverShortMessage("", TON, NPI, source, TON, NPI, destination, esmClass, (byte) 0, (byte) 0,
                    new RegisteredDelivery(0), DataCodings.newInstance(coding), octets, tlvs);
            } catch (NegativeResponseException refused) {
                status = refused.getCommandStatus();
            }
            tell("deliver_sm_resp", "status", status);
        }

        public SubmitSmResult onAcceptSubmitSm(SubmitSm submit, SMPPServerSession from) throws ProcessRequestException {
            if (refusals.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
                tell("refused", "status", refusal);
                throw new ProcessRequestException("refused", refusal);
            }
            String id = "%x".formatted(0xBEEF00 + ids.incrementAndGet());
            tell("submit_sm", told(submit));
            if ((submit.getRegisteredDelivery() & 1) == 1) {
                soon.schedule(() -> report(from, submit, id), 20, TimeUnit.MILLISECONDS);
            }
            try {
                return new SubmitSmResult(new MessageId(id), new OptionalParameter[0]);
            } catch (org.jsmpp.PDUStringException error) {
                throw new IllegalStateException(error);
            }
        }

        void report(SMPPServerSession by, SubmitSm submit, String id) {
            var now = new Date();
            var receipt = new DeliveryReceipt(id, 1, 1, now, now, DeliveryReceiptState.DELIVRD, "000", "");
            var esmClass = new ESMClass(MessageMode.DEFAULT, MessageType.SMSC_DEL_RECEIPT, GSMSpecificFeature.DEFAULT);
            try {
                deliver(by, submit.getDestAddress(), submit.getSourceAddr(), esmClass, (byte) 0,
                    receipt.toString().getBytes());
            } catch (Exception error) {
                tell("error", "words", error.toString());
            }
        }

        public void onAcceptEnquireLink(EnquireLink asked, Session from) {
            tell("enquire_link");
        }

        public SubmitMultiResult onAcceptSubmitMulti(SubmitMulti m, SMPPServerSession s)
                throws ProcessRequestException {
            throw cannot();
        }

        public QuerySmResult onAcceptQuerySm(QuerySm m, SMPPServerSession s) throws ProcessRequestException {
            throw cannot();
        }

        public void onAcceptReplaceSm(ReplaceSm m, SMPPServerSession s) throws ProcessRequestException {
            throw cannot();
        }

        public void onAcceptCancelSm(CancelSm m, SMPPServerSession s) throws ProcessRequestException {
            throw cannot();
        }

        public BroadcastSmResult onAcceptBroadcastSm(BroadcastSm m, SMPPServerSession s)
                throws ProcessRequestException {
            throw cannot();
        }

        public void onAcceptCancelBroadcastSm(CancelBroadcastSm m, SMPPServerSession s) throws ProcessRequestException {
            throw cannot();
        }

        public QueryBroadcastSmResult onAcceptQueryBroadcastSm(QueryBroadcastSm m, SMPPServerSession s)
                throws ProcessRequestException {
            throw cannot();
        }

        public DataSmResult onAcceptDataSm(DataSm m, Session s) throws ProcessRequestException {
            throw cannot();
        }

        static ProcessRequestException cannot() {
            return new ProcessRequestException("not of this centre", CANNOT);
        }
    }

    // --- a client --------------------------------------------------------------------------

    static class Client implements Acts, MessageReceiverListener {
        SMPPSession session;

        public void act(String name, String[] words) throws Exception {
            switch (name) {
                case "bind" -> bind(Integer.parseInt(words[0]), words[1], words[2], words[3]);
                case "send" -> submit(words, esmClass(words), octets(words));
                case "payload" -> submit(words, new ESMClass(), new byte[0],
                    new OptionalParameter.Message_payload(octets(words)));
                case "enquire" -> enquire(session);
                case "unbind" -> {
                    session.unbind();
                    tell("unbind_resp", "status", 0);
                    session.close();
                }
                default -> throw new IllegalArgumentException(name);
            }
        }

        void bind(int port, String kind, String systemId, String password) throws IOException {
            var type = switch (kind) {
                case "bind_transmitter" -> BindType.BIND_TX;
                case "bind_receiver" -> BindType.BIND_RX;
                default -> BindType.BIND_TRX;
            };
            session = new SMPPSession();
            session.setMessageReceiverListener(this);
            session.addSessionStateListener((now, before, which) -> {
                if (now == org.jsmpp.extra.SessionState.CLOSED) tell("lost");
            });
            try {
                var login = new BindParameter(type, systemId, password, "", TON, NPI, "");
                session.connectAndBind("127.0.0.1", port, login);
                tell("bind_resp", "status", 0);
            } catch (IOException error) {
                if (!(error.getCause() instanceof NegativeResponseException refused)) throw error;
                tell("bind_resp", "status", refused.getCommandStatus());
            }
        }

        void submit(String[] words, ESMClass esmClass, byte[] octets, OptionalParameter... tlvs) throws Exception {
            SubmitSmResult answer = session.submitShortMessage("", TON, NPI, words[0], TON, NPI, words[1], esmClass,
                (byte) 0, (byte) 0, null, null, new RegisteredDelivery(1), (byte) 0,
                DataCodings.newInstance(coding(words)), (byte) 0, octets, tlvs);
            tell("submit_sm_resp", "status", 0, "message_id", answer.getMessageId());
        }

        public void onAcceptDeliverSm(DeliverSm message) throws ProcessRequestException {
            tell("deliver_sm", told(message));
            if (!message.isSmscDeliveryReceipt()) {
                return;
            }
            try {
                var said = message.getShortMessageAsDeliveryReceipt();
                tell("receipt", "id", said.getId(), "state", said.getFinalStatus().name(), "error", said.getError(),
                    "submitted", said.getSubmitted(), "delivered", said.getDelivered(), "text", said.getText(),
                    "age", (System.currentTimeMillis() - said.getDoneDate().getTime()) / 1000);
            } catch (org.jsmpp.util.InvalidDeliveryReceiptException error) {
                tell("error", "words", error.toString());
            }
        }

        public void onAcceptEnquireLink(EnquireLink asked, Session from) {
            tell("enquire_link");
        }

        public void onAcceptAlertNotification(AlertNotification alert) {
            tell("alert_notification");
        }

        public DataSmResult onAcceptDataSm(DataSm message, Session from) throws ProcessRequestException {
            throw Centre.cannot();
        }
    }
}
