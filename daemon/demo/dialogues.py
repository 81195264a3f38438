"""What the demo's callers say and do: scripts of fictional people and firms, with example numbers."""

from __future__ import annotations

from daemon.demo.script import (
    Connect,
    Consult,
    HangUp,
    Hold,
    Keys,
    Line,
    Pause,
    Prompt,
    Script,
    Transfer,
)


def caller(text: str) -> Line:
    """The caller says."""
    return Line("caller", text)


def callee(text: str) -> Line:
    """Whoever the caller talks to says."""
    return Line("callee", text)


def app(text: str) -> Line:
    """The program says."""
    return Line("app", text)


DELIVERY = Script(
    "delivery",
    "07000001001",
    "parcel-app",
    (
        app("안녕하세요, 솔바람택배입니다. 무엇을 도와드릴까요?"),
        caller("네, 어제 온다고 한 택배가 아직 안 와서요."),
        app("송장 번호 뒤 네 자리를 말씀해 주세요."),
        caller("칠 삼 공 이요."),
        app("칠삼공이 번, 확인해 보겠습니다. 잠시만 기다려 주세요."),
        Pause(2.0),
        app("고객님의 물품은 현재 성남 배송센터에서 출발했습니다. 오늘 저녁 여섯 시 전에 도착할 예정입니다."),
        caller("아, 그럼 경비실에 맡겨 주실 수 있어요?"),
        app("네, 경비실 보관으로 변경해 드릴까요?"),
        caller("네, 그렇게 해 주세요."),
        app("경비실 보관으로 변경했습니다. 더 필요하신 것이 있으신가요?"),
        caller("아니요, 됐습니다. 감사합니다."),
        app("이용해 주셔서 감사합니다. 좋은 하루 보내세요."),
        HangUp("caller"),
    ),
)

REFUND = Script(
    "refund",
    "07000001002",
    "shop-app",
    (
        app("달팽이마켓 고객센터입니다. 주문, 배송, 환불 중 어떤 문의이신가요?"),
        caller("환불 요청하려고요. 지난주에 산 전기 주전자가 고장 났어요."),
        app("불편을 드려 죄송합니다. 상담원에게 연결해 드리겠습니다."),
        Prompt("/usr/share/freeswitch/sounds/music/hold-8000.wav", 4.0),
        Connect("1001"),
        callee("안녕하세요, 달팽이마켓 상담원입니다. 전기 주전자 건으로 전화 주셨네요."),
        caller("네, 물을 끓이면 중간에 전원이 꺼져요."),
        callee("아, 그러셨군요. 받으신 지 며칠 되셨을까요?"),
        caller("금요일에 받았으니까, 오늘로 닷새요."),
        callee("그럼 칠 일 이내라서 바로 환불이 가능합니다. 교환을 원하시면 교환도 되고요."),
        caller("교환 말고 환불로 할게요."),
        callee("네, 결제하신 카드로 사흘에서 닷새 안에 취소됩니다. 물건은 내일 기사님이 가지러 갈 거예요."),
        caller("몇 시쯤 오시나요?"),
        callee("오전 열 시에서 열두 시 사이입니다. 문자로 다시 안내해 드릴게요."),
        caller("네, 알겠습니다. 감사합니다."),
        callee("감사합니다, 고객님. 좋은 하루 되세요."),
        HangUp("callee"),
    ),
)

RESERVATION = Script(
    "reservation",
    "07000001003",
    "table-app",
    (
        app("온새미식당 예약 전화입니다. 날짜와 인원을 말씀해 주세요."),
        caller("이번 주 토요일 저녁 일곱 시에 네 명 예약하고 싶은데요."),
        app("토요일 저녁 일곱 시, 네 분 맞으신가요?"),
        caller("네, 맞아요. 창가 자리로 부탁드려요."),
        app("죄송하지만 일곱 시에는 창가 자리가 없습니다. 여섯 시 반은 가능합니다."),
        caller("음, 여섯 시 반도 괜찮아요."),
        app("토요일 여섯 시 반, 창가 자리, 네 분으로 예약했습니다. 알레르기가 있으신 분이 계신가요?"),
        caller("한 명이 새우를 못 먹어요."),
        app("새우를 빼고 준비하겠습니다. 예약 문자를 보내 드릴게요."),
        caller("고맙습니다. 그날 뵐게요."),
        HangUp("caller"),
    ),
    vendor="google",
)

LOST_CARD = Script(
    "bank",
    "07000001004",
    "bank-app",
    (
        Prompt("/usr/share/freeswitch/sounds/ko/welcome-bank.wav", 3.0),
        app("모아별은행입니다. 카드 분실 신고는 1번, 그 밖의 문의는 2번을 눌러 주세요."),
        Keys("1"),
        app("분실 신고 담당자에게 연결합니다."),
        Connect("1002", rings=4.0),
        callee("모아별은행 분실 신고 센터입니다. 말씀하세요."),
        caller("지하철에서 지갑을 잃어버렸어요. 카드부터 막아 주세요."),
        callee("많이 놀라셨겠어요. 체크카드와 신용카드 모두 정지할까요?"),
        caller("네, 둘 다요. 방금 전에 결제된 건 없죠?"),
        callee("확인해 보겠습니다. 잠시만 기다려 주시겠어요?"),
        caller("네."),
        Hold(6.0),
        callee("기다려 주셔서 감사합니다. 오늘 아침 버스 요금 이후로는 사용 내역이 없습니다."),
        caller("다행이네요."),
        callee("두 카드 모두 정지했습니다. 재발급은 영업점이나 앱에서 하실 수 있어요."),
        caller("앱에서 하면 얼마나 걸려요?"),
        callee("신청하신 날부터 나흘 정도 걸립니다."),
        caller("알겠습니다. 정말 감사합니다."),
        HangUp("caller"),
    ),
)

PLAN_CHANGE = Script(
    "telecom",
    "07000001005",
    "telecom-app",
    (
        app("가람누리통신입니다. 말씀하시면 알맞은 부서로 연결해 드립니다."),
        caller("요금제를 바꾸고 싶은데, 해지 위약금도 궁금하고요."),
        app("요금제 상담원에게 연결하겠습니다."),
        Connect("1003"),
        callee("가람누리통신 요금제 상담입니다."),
        caller("지금 쓰는 게 칠만 원짜리인데 데이터가 너무 많이 남아요."),
        callee("사용량을 보니 한 달에 십 기가 정도 쓰시네요. 오만 원 요금제가 맞으실 것 같습니다."),
        caller("그걸로 바꾸면 위약금이 있나요?"),
        callee("위약금은 해지 부서에서 정확히 계산해 드려요. 연결해 드릴게요."),
        Transfer("1009"),
        callee("네, 해지 상담입니다. 약정이 석 달 남으셨네요."),
        caller("그럼 위약금이 얼마예요?"),
        callee("지금 요금제만 바꾸시면 위약금은 없습니다. 해지하시면 삼만 이천 원이고요."),
        caller("그럼 요금제만 바꿀게요."),
        callee("네, 다음 달 일 일부터 적용됩니다."),
        caller("감사합니다. 수고하세요."),
        HangUp("caller"),
    ),
    vendor="deepgram",
)

GIVES_UP = Script(
    "gives-up",
    "07000001002",
    "shop-app",
    (Pause(9.0), HangUp("caller", "ORIGINATOR_CANCEL")),
    answered=False,
)

NO_APP = Script(
    "no-app",
    "07000001006",
    "",
    (
        Connect("1004", rings=2.0),
        callee("네, 관리실입니다."),
        caller("안녕하세요, 백이동 오백삼 호인데요. 엘리베이터가 멈췄어요."),
        callee("몇 층에서 멈췄나요? 안에 사람이 있습니까?"),
        caller("사람은 없고요, 삼 층에 서 있어요."),
        callee("바로 기사님께 연락드리겠습니다. 삼십 분 안에 갈 거예요."),
        caller("네, 부탁드립니다."),
        HangUp("callee"),
    ),
)

MERGED = Script(
    "merged",
    "07000001005",
    "telecom-app",
    (
        app("가람누리통신 기술 지원입니다. 상담원이 곧 연결됩니다."),
        Connect("1005"),
        callee("안녕하세요, 기술 지원입니다. 어떤 문제가 있으신가요?"),
        caller("인터넷이 오 분마다 끊겨요. 공유기도 바꿔 봤는데 똑같아요."),
        callee("모뎀 쪽 문제일 수 있어요. 현장 기사님과 바로 통화하시게 해 드릴게요."),
        Consult("01012340099", "07000001009"),
        callee("현장 기사입니다. 모뎀에 빨간 불이 들어와 있나요?"),
        caller("네, 맨 위에 빨간 불이 깜빡여요."),
        callee("그럼 선로 점검이 필요합니다. 오늘 오후 세 시에 방문해도 될까요?"),
        caller("네, 집에 있을게요."),
        callee("알겠습니다. 세 시에 뵙겠습니다."),
        HangUp("caller"),
    ),
)

SPEAKS_LATE = Script(
    "speaks-late",
    "07000001001",
    "parcel-app",
    (
        app("솔바람택배입니다. 무엇을 도와드릴까요?"),
        caller("배송지 주소를 바꾸고 싶어요."),
        app("새 주소를 말씀해 주세요."),
        caller("한빛시 별마루로 십이, 삼백일 호요."),
        app("변경했습니다. 감사합니다."),
        HangUp("callee"),
    ),
    late="아, 잠깐만요, 공동 현관 비밀번호도요.",
)

_SUPPORT = (
    (callee("지금 화면에 뭐라고 나오나요?"), caller("로그인할 수 없다고 나와요.")),
    (callee("아이디는 맞게 입력하셨을까요?"), caller("네, 이메일 주소 그대로요.")),
    (callee("비밀번호 찾기를 눌러 보시겠어요?"), caller("눌렀는데 메일이 안 와요.")),
    (callee("스팸함도 확인해 주세요."), caller("아, 여기 있네요. 링크가 있어요.")),
    (callee("그 링크를 누르시면 새 비밀번호를 정하실 수 있어요."), caller("몇 자 이상이어야 하죠?")),
    (callee("열 자 이상이고 숫자가 하나 들어가야 합니다."), caller("잠시만요, 적어 둘게요.")),
    (callee("네, 천천히 하세요."), caller("됐어요. 이제 다시 로그인하면 되나요?")),
    (callee("네, 새 비밀번호로 해 보세요."), caller("이번에는 인증 번호를 넣으래요.")),
    (callee("휴대전화로 여섯 자리가 갔을 거예요."), caller("왔어요. 넣었습니다.")),
    (callee("첫 화면이 보이시나요?"), caller("네, 보여요. 그런데 가입 내역이 비어 있어요.")),
    (callee("조회 기간이 이번 달로 되어 있을 거예요. 일 년으로 바꿔 보세요."), caller("아, 이제 다 나오네요.")),
    (callee("더 궁금하신 점이 있으신가요?"), caller("영수증은 어디서 뽑아요?")),
    (callee("오른쪽 위에 인쇄 단추가 있습니다."), caller("찾았어요. 정말 친절하시네요.")),
)

LONG = Script(
    "long",
    "07000001007",
    "insurance-app",
    (
        app("늘해랑보험입니다. 상담원을 연결해 드리겠습니다."),
        Connect("1006", rings=5.0),
        callee("늘해랑보험 상담원입니다. 무엇을 도와드릴까요?"),
        caller("홈페이지에 들어가지지가 않아요. 처음부터 같이 봐 주실 수 있어요?"),
        *(step for exchange in _SUPPORT for step in (*exchange, Pause(2.0))),
        callee("별말씀을요. 오늘도 좋은 하루 보내세요."),
        caller("네, 감사합니다."),
        HangUp("caller"),
    ),
    vendor="google",
)

SCRIPTS = (DELIVERY, REFUND, RESERVATION, LOST_CARD, PLAN_CHANGE, GIVES_UP, NO_APP, MERGED, SPEAKS_LATE, LONG)
