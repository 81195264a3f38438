/** Every word of the page, in Korean and English. Korean is the pattern that English must fill. */

import type { CallState, Direction, Disposition, LegState, LinkState, Role, Speaker } from "../api/payloads";
import { handsEn, handsKo } from "./hands";
import { inboxEn, inboxKo } from "./inbox";
import { pbxEn, pbxKo } from "./pbx";
import { peopleEn, peopleKo } from "./people";

export type Language = "ko" | "en";

const plural = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

const ko = {
  languageName: "한국어",
  skipToDialogue: "대화로 건너뛰기",
  sections: "메뉴",
  loading: "불러오는 중…",
  retry: "다시 시도",
  close: "닫기",
  back: "통화 목록",

  signIn: {
    title: "로그인",
    lead: "통화 내용을 실시간으로 봅니다.",
    username: "사용자 이름",
    password: "비밀번호",
    submit: "로그인",
    busy: "확인하는 중…",
    showPassword: "비밀번호 보기",
    hidePassword: "비밀번호 숨기기",
    ended: "로그인이 만료되었습니다. 다시 로그인해 주세요.",
    unreachableTitle: "서버에 연결할 수 없습니다",
    unreadyTitle: "서버가 아직 준비되지 않았습니다",
    again: "잠시 뒤 자동으로 다시 시도합니다.",
  },
  signOut: "로그아웃",
  roles: { viewer: "보기", operator: "운영", admin: "관리" } satisfies Record<Role, string>,

  problem: {
    wrong: "사용자 이름이나 비밀번호가 맞지 않습니다.",
    tooMany: "로그인을 너무 여러 번 시도했습니다.",
    tryAfter: (span: string) => `${span} 뒤에 다시 시도할 수 있습니다.`,
    tryNow: "이제 다시 시도할 수 있습니다.",
    forbidden: "이 작업을 할 권한이 없습니다.",
    notFound: "찾을 수 없습니다.",
    invalid: "입력한 내용을 서버가 받아들이지 않았습니다.",
    unreachable: "서버에 연결할 수 없습니다. 네트워크를 확인해 주세요.",
    server: "서버에 문제가 생겼습니다. 잠시 뒤 다시 시도해 주세요.",
  },

  calls: {
    title: "통화",
    list: "통화 목록",
    live: "진행 중",
    ended: "끝난 통화",
    filter: "번호, 이름, 코드, 상태로 찾기",
    clearFilter: "찾기 지우기",
    count: (shown: number, all: number) => (shown === all ? `${all}건` : `${all}건 중 ${shown}건`),
    none: "지금은 통화가 없습니다.",
    noneHint: "전화가 오면 여기에 바로 나타납니다.",
    noMatch: "찾는 통화가 없습니다.",
    waiting: "통화 목록을 기다리는 중…",
    noNumber: "번호 없음",
    did: "DID",
    placed: "발신",
    code: "코드",
    app: "앱",
    server: "스위치",
    callee: "수신자",
    sensitive: "민감한 통화",
    pick: "통화를 선택하세요",
    pickHint: "선택한 통화의 대화가 실시간으로 여기에 나타납니다.",
  },
  states: {
    ringing: "벨 울림",
    parked: "대기",
    active: "통화 중",
    bridged: "연결됨",
    held: "보류",
    ended: "종료",
  } satisfies Record<CallState, string>,
  legStates: {
    ringing: "벨 울림",
    early: "받기 전",
    answered: "통화 중",
    ended: "종료",
  } satisfies Record<LegState, string>,
  legFlags: { parked: "대기", held: "보류" },
  directions: { inbound: "수신", outbound: "발신" } satisfies Record<Direction, string>,
  dispositions: {
    answered: "응답",
    no_answer: "응답 없음",
    busy: "상대 통화 중",
    abandoned: "받기 전에 끊음",
    failed: "실패",
    lost: "종료 미확인",
  } satisfies Record<Disposition, string>,
  call: {
    duration: "통화 시간",
    waited: "기다린 시간",
    began: "시작",
    hangupCause: "종료 사유",
    disposition: "결과",
    legs: (count: number) => `회선 ${count}`,
    legsTitle: "이 통화의 회선",
    save: "대화 저장",
    saveAs: { text: "텍스트", csv: "CSV", vtt: "자막(VTT)" },
    mergedInto: "이 통화는 다른 통화에 합쳐졌습니다.",
    openMerged: "합쳐진 통화 열기",
  },

  pbx: pbxKo,
  hands: handsKo,
  inbox: inboxKo,
  people: peopleKo,

  dialogue: {
    title: "대화",
    log: "대화 내용",
    empty: "아직 나눈 말이 없습니다.",
    emptyEnded: "이 통화에는 대화 기록이 없습니다.",
    withheld: "민감한 통화라서 대화를 볼 수 없습니다.",
    failed: "대화를 불러오지 못했습니다.",
    gone: "이 통화를 찾을 수 없습니다.",
    provisional: "듣는 중",
    newest: "맨 아래로",
    fresh: (count: number) => `새 말 ${count}개`,
    playback: "녹음 안내 재생",
    confidence: (percent: string) => `정확도 ${percent}`,
  },
  speakers: { caller: "발신자", callee: "수신자", app: "안내" } satisfies Record<Speaker, string>,
  happenings: {
    began: { inbound: "전화가 걸려 옴", outbound: "전화를 걺" } satisfies Record<Direction, string>,
    answered: "전화를 받음",
    joined: (who: string) => `${who} 참여`,
    left: (who: string) => `${who} 나감`,
    merged: "다른 통화가 합쳐짐",
    gap: (server: string, span: string) =>
      `${server} 스위치와 ${span} 동안 연결이 끊겨, 이 사이의 말은 알 수 없습니다.`,
    ended: "통화 종료",
  },

  links: {
    title: "연결 상태",
    browser: "서버",
    switch: (name: string) => `${name} 스위치`,
    pbx: (name: string) => `PBX ${name}`,
    states: {
      connecting: "연결하는 중",
      ready: "정상",
      slow: "느림",
      away: "끊김",
      refused: "거부됨",
      stopped: "멈춤",
    } satisfies Record<LinkState, string>,
    lastEvent: (ago: string) => `마지막 소식 ${ago}`,
    never: "아직 소식 없음",
    ago: (span: string) => `${span} 전`,
    justNow: "방금",
    summaryOk: "모두 정상",
    summaryBad: (count: number) => `${count}곳 끊김`,
  },
  banners: {
    title: "알림",
    serverConnecting: "서버에 연결하는 중입니다",
    serverAway: "서버와 연결이 끊겼습니다",
    serverAwayHint: "화면의 내용은 그때 그대로입니다. 다시 연결되면 빠진 말을 모두 채웁니다.",
    switchConnecting: (name: string) => `${name} 스위치에 연결하는 중입니다`,
    switchAway: (name: string) => `${name} 스위치와 연결이 끊겼습니다`,
    switchRefused: (name: string) => `${name} 스위치가 연결을 거부했습니다`,
    switchStopped: (name: string) => `${name} 스위치 연결이 멈춰 있습니다`,
    pbxAway: (name: string) => `PBX ${name} 연결이 끊겼습니다`,
    pbxSlow: (name: string) => `PBX ${name} 응답이 느립니다`,
    refusedHint: "비밀번호나 접근 목록(ACL)을 관리자가 확인해야 합니다.",
    gap: (name: string, from: string, span: string) =>
      `${name} 스위치와 다시 연결되었습니다. ${from}부터 ${span} 동안 있었던 일은 알 수 없습니다.`,
    dismiss: "알림 닫기",
  },

  settings: {
    title: "설정",
    language: "언어",
    theme: "화면 밝기",
    themes: { system: "시스템", light: "밝게", dark: "어둡게" },
    pause: "짧은 쉼 이어 보기",
    pauseHint: "한 사람이 이보다 짧게 쉬면 한 말풍선으로 이어 보여 줍니다.",
    pauseOff: "끔",
    pauseSeconds: (seconds: string) => `${seconds}초`,
    keys: "단축키",
    keyList: {
      move: "통화 목록에서 이동",
      choose: "통화 열기",
      filter: "찾기",
      back: "되돌아가기",
      newest: "가장 최근 말로",
    },
  },

  span: (hours: number, minutes: number, seconds: number) =>
    hours > 0
      ? `${hours}시간 ${minutes}분`
      : minutes > 0
        ? seconds > 0
          ? `${minutes}분 ${seconds}초`
          : `${minutes}분`
        : `${seconds}초`,
};

export type Messages = typeof ko;

const en: Messages = {
  languageName: "English",
  skipToDialogue: "Skip to the dialogue",
  sections: "Menu",
  loading: "Loading…",
  retry: "Try again",
  close: "Close",
  back: "Calls",

  signIn: {
    title: "Sign in",
    lead: "Follow what is said on your calls, live.",
    username: "User name",
    password: "Password",
    submit: "Sign in",
    busy: "Checking…",
    showPassword: "Show password",
    hidePassword: "Hide password",
    ended: "Your session has ended. Please sign in again.",
    unreachableTitle: "The server cannot be reached",
    unreadyTitle: "The server is not ready yet",
    again: "Trying again shortly.",
  },
  signOut: "Sign out",
  roles: { viewer: "Viewer", operator: "Operator", admin: "Admin" },

  problem: {
    wrong: "The user name or the password is wrong.",
    tooMany: "Too many attempts to sign in.",
    tryAfter: (span) => `You can try again in ${span}.`,
    tryNow: "You can try again now.",
    forbidden: "You are not allowed to do this.",
    notFound: "Not found.",
    invalid: "The server did not accept what was entered.",
    unreachable: "The server cannot be reached. Please check the network.",
    server: "Something went wrong on the server. Please try again shortly.",
  },

  calls: {
    title: "Calls",
    list: "Calls",
    live: "Live",
    ended: "Ended",
    filter: "Find by number, name, code, state",
    clearFilter: "Clear the filter",
    count: (shown, all) => (shown === all ? `${all}` : `${shown} of ${all}`),
    none: "There are no calls right now.",
    noneHint: "They appear here as soon as they come in.",
    noMatch: "No call matches.",
    waiting: "Waiting for the list of calls…",
    noNumber: "No number",
    did: "DID",
    placed: "Placed from",
    code: "Code",
    app: "App",
    server: "Switch",
    callee: "Callee",
    sensitive: "Sensitive call",
    pick: "Choose a call",
    pickHint: "What is said on it appears here, live.",
  },
  states: {
    ringing: "Ringing",
    parked: "Waiting",
    active: "Talking",
    bridged: "Connected",
    held: "On hold",
    ended: "Ended",
  },
  legStates: { ringing: "Ringing", early: "Early media", answered: "Answered", ended: "Ended" },
  legFlags: { parked: "parked", held: "on hold" },
  directions: { inbound: "Inbound", outbound: "Outbound" },
  dispositions: {
    answered: "Answered",
    no_answer: "No answer",
    busy: "Busy",
    abandoned: "Gave up",
    failed: "Failed",
    lost: "End not seen",
  },
  call: {
    duration: "Duration",
    waited: "Waited",
    began: "Began",
    hangupCause: "Hangup cause",
    disposition: "Result",
    legs: (count) => plural(count, "leg", "legs"),
    legsTitle: "Legs of this call",
    save: "Save transcript",
    saveAs: { text: "Text", csv: "CSV", vtt: "Subtitles (VTT)" },
    mergedInto: "This call became part of another one.",
    openMerged: "Open the call",
  },

  pbx: pbxEn,
  hands: handsEn,
  inbox: inboxEn,
  people: peopleEn,

  dialogue: {
    title: "Dialogue",
    log: "What is said",
    empty: "Nothing has been said yet.",
    emptyEnded: "There is no transcript of this call.",
    withheld: "This is a sensitive call. You cannot see what is said.",
    failed: "The dialogue could not be loaded.",
    gone: "This call cannot be found.",
    provisional: "listening",
    newest: "Jump to newest",
    fresh: (count) => plural(count, "new utterance", "new utterances"),
    playback: "Recorded prompt",
    confidence: (percent) => `confidence ${percent}`,
  },
  speakers: { caller: "Caller", callee: "Callee", app: "Prompt" },
  happenings: {
    began: { inbound: "Call came in", outbound: "Call placed" },
    answered: "Answered",
    joined: (who) => `${who} joined`,
    left: (who) => `${who} left`,
    merged: "Another call was merged",
    gap: (server, span) => `No link to switch ${server} for ${span}. What was said in between is not known.`,
    ended: "Call ended",
  },

  links: {
    title: "Links",
    browser: "Server",
    switch: (name) => `Switch ${name}`,
    pbx: (name) => `PBX ${name}`,
    states: {
      connecting: "connecting",
      ready: "up",
      slow: "slow",
      away: "down",
      refused: "refused",
      stopped: "stopped",
    },
    lastEvent: (ago) => `last heard ${ago}`,
    never: "not heard yet",
    ago: (span) => `${span} ago`,
    justNow: "now",
    summaryOk: "All up",
    summaryBad: (count) => `${count} down`,
  },
  banners: {
    title: "Notices",
    serverConnecting: "Connecting to the server",
    serverAway: "The link to the server is down",
    serverAwayHint: "You see things as they were then. What is missing is filled in once the link is back.",
    switchConnecting: (name) => `Connecting to switch ${name}`,
    switchAway: (name) => `The link to switch ${name} is down`,
    switchRefused: (name) => `Switch ${name} refuses the link`,
    switchStopped: (name) => `The link to switch ${name} is stopped`,
    pbxAway: (name) => `PBX ${name} is down`,
    pbxSlow: (name) => `PBX ${name} answers slowly`,
    refusedHint: "Someone has to look at its password or access list (ACL).",
    gap: (name, from, span) =>
      `The link to switch ${name} is back. What happened in the ${span} from ${from} is not known.`,
    dismiss: "Dismiss",
  },

  settings: {
    title: "Settings",
    language: "Language",
    theme: "Appearance",
    themes: { system: "System", light: "Light", dark: "Dark" },
    pause: "Join short pauses",
    pauseHint: "A speaker who pauses for less stays in one bubble.",
    pauseOff: "Off",
    pauseSeconds: (seconds) => `${seconds} s`,
    keys: "Keyboard",
    keyList: {
      move: "Move in the list of calls",
      choose: "Open the call",
      filter: "Find",
      back: "Go back",
      newest: "Newest utterance",
    },
  },

  span: (hours, minutes, seconds) =>
    hours > 0
      ? `${hours} h ${minutes} min`
      : minutes > 0
        ? seconds > 0
          ? `${minutes} min ${seconds} s`
          : `${minutes} min`
        : `${seconds} s`,
};

export const messages: Record<Language, Messages> = { ko, en };

/** The language to begin with: the one that was chosen, else the browser's first that we speak, else Korean. */
export function firstLanguage(chosen: string | null, preferred: readonly string[]): Language {
  if (chosen === "ko" || chosen === "en") return chosen;
  for (const tag of preferred) {
    const base = tag.toLowerCase().split("-")[0];
    if (base === "ko" || base === "en") return base;
  }
  return "ko";
}
