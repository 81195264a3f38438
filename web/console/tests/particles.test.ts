import { describe, expect, it } from "vitest";

import { messages } from "../src/i18n/messages";
import { withParticle } from "../src/i18n/particles";

describe("a particle", () => {
  it.each([
    ["1230", "1230으로"],
    ["1231", "1231로"],
    ["1232", "1232로"],
    ["1233", "1233으로"],
    ["1234", "1234로"],
    ["1235", "1235로"],
    ["1236", "1236으로"],
    ["1237", "1237로"],
    ["010-1234-5678", "010-1234-5678로"],
    ["1239", "1239로"],
    ["*88*", "*88*로"],
    ["*88#", "*88#으로"],
    ["영업팀", "영업팀으로"],
    ["서울", "서울로"],
    ["회의", "회의로"],
    ["영업팀(서울)", "영업팀(서울)로"],
    ["영업팀".normalize("NFD"), `${"영업팀".normalize("NFD")}으로`],
    ["alice", "alice(으)로"],
    ["", "(으)로"],
  ])("of %s is chosen as it is read aloud", (word, whole) => {
    expect(withParticle(word, "으로")).toBe(whole);
  });

  it("has a form after a vowel, after ㄹ, after another consonant and where nobody knows", () => {
    const forms = (["은", "이", "을", "으로"] as const).map((one) =>
      ["2", "1", "3", "x"].map((word) => withParticle(word, one)),
    );
    expect(forms).toEqual([
      ["2는", "1은", "3은", "x은(는)"],
      ["2가", "1이", "3이", "x이(가)"],
      ["2를", "1을", "3을", "x을(를)"],
      ["2로", "1로", "3으로", "x(으)로"],
    ]);
  });

  it("stands behind what the console says of numbers and people", () => {
    const { pbx, hands, people } = messages.ko;
    expect(pbx.diversions.inEffect("1224")).toBe("1224로 전환됩니다.");
    expect(pbx.diversions.offWithDestination("1223")).toBe("꺼져 있습니다. 켜면 1223으로 전환됩니다.");
    expect(pbx.click.forwards.IMMEDIATE("1010", "1011")).toMatch(/^내선 1010은 1011로 /);
    expect(pbx.click.forwards.BUSY("1012", "1013")).toBe("내선 1012가 통화 중이면 1013으로 전환됩니다.");
    expect(hands.takeOver.done("1006")).toBe("발신자를 1006으로 보냈습니다.");
    expect(people.everybody.removeTitle("김미나")).toBe("김미나를 삭제할까요?");
    expect(people.teams.removeTitle("영업팀")).toBe("영업팀을 삭제할까요?");
  });
});
