"""Words and endings that say nothing of what is asked for, in Korean and English."""

from __future__ import annotations

from typing import Final

_FILLERS: Final = """
가 거 건 것 곳 관련 관련해서 궁금한데요 궁금해요 그 그거 그게 나 내 네 누가 누구 누구예요 누구죠 담당 담당자 대한
대해 대해서 돼 돼요 되나요 되는 되요 됩니까 때문에 무슨 무엇 문의 뭐 뭐가 뭐예요 바꿔 방법 방법이 번호 부서 부탁
부탁드려요 부탁드립니다 부탁합니다 부탁해요 분 서비스 수 싶다 싶습니다 싶어 싶어요 싶은데 싶은데요 아 안녕하세요
알고 알려 알려주세요 알려줘 알려줘요 어 어느 어디 어디가 어디로 어디서 어디야 어디에 어디예요 어디죠 어떤 어떻게
언제 여기 여보세요 연결 예 원해요 위해 음 이 이거 이게 있나요 있는 있는데요 있습니까 있어 있어요 있을까요 저 저기
저기요 저는 저희 전 전화 전화번호 제 제가 좀 주세요 주실 줄 줘 직원 쪽 쪽으로 찾고 찾는 찾는데요 찾아 찾아요 찾아줘
처리 통화 필요 하고 하고싶어요 하나요 하는 하는데 하는데요 하려고 하려고요 하려면 하죠 하지 한 한다 할 할게요 할까요
할래요 합니까 합니다 해 해서 해야 해야하나요 해요 해주세요 해줘
a an and at can connect do for help how i in is me my need of on please service show the to want what where who with
"""

_ENDINGS: Final = """
가 과 까지 께 께서 나 내고 는 님 님께 도 돼요 됐어요 되나요 되는 된 됩니다 드려요 드립니다 라고 라도 랑 로 를 만
받고 받으려면 부탁드려요 부탁해요 부터 시켜주세요 시켜줘 씨 안돼요 야 에 에게 에다 에서 예요 와 요 으로 은 을 의 이
이고 이나 이라고 이랑 이야 이에요 이요 인데 인데요 입니다 좀 주세요 줘 줘요 하고 하고싶어요 하고싶은데요 하기 하나요
하는 하는데 하는데요 하는방법 하는법 하러 하려고 하려고요 하려면 하면 하면요 하세요 하죠 하지 한 한테 할 할게요
할까요 할래요 합니다 해 해서 해야 해야죠 해요 해주세요 해주실래요 해줘 해줘요 했는데 했는데요 했습니다 했어요
"""

FILLERS: Final = frozenset(_FILLERS.split())
"""What is said around that which is asked for."""
ENDINGS: Final = frozenset(_ENDINGS.split())
"""What follows a word and changes nothing of what it names: particles, forms of address, endings of verbs made of
nouns."""
LONGEST_ENDING: Final = max(map(len, ENDINGS))
