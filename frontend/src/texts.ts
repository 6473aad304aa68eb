import { totalOf, type Counts, type Kind, type PhotoState, type WarningCode } from "./jobs/job";
import { MAX_BYTES, MAX_PIXELS, REDUCED_PIXELS } from "./limits";

/** All texts of the page, in one place for translation. */
export const LANGUAGE = "en";

const number = (count: number) => count.toLocaleString(LANGUAGE);
const millions = (count: number) => number(count / 1_000_000);
const more = (count: number) => (count === 1 ? "1 more, which is" : `${number(count)} more, which are`);
const photos = (count: number) => (count === 1 ? "1 photo" : `${count} photos`);
const list = (parts: readonly string[]) => new Intl.ListFormat(LANGUAGE).format(parts);
const times = (count: number) => ["once", "twice"][count - 1] ?? `${count} times`;

/** The names of the kinds: on their own, for one, and for several. */
const kinds: Record<Kind, string> = { face: "Face", plate: "Number plate", text: "Text" };
const one: Record<Kind, string> = { face: "face", plate: "number plate", text: "text" };
const several: Record<Kind, string> = { face: "faces", plate: "number plates", text: "texts" };

const ofKind = (kind: Kind, count: number) => (count === 1 ? `1 ${one[kind]}` : `${number(count)} ${several[kind]}`);

/** Such as "2 faces and 1 number plate", or "nothing". */
const things = (counts: Counts) =>
  list((Object.keys(kinds) as Kind[]).filter((kind) => counts[kind] > 0).map((kind) => ofKind(kind, counts[kind]))) ||
  "nothing";

/** The kinds that were not found, such as "No face or number plate was found". */
const noneOf = (asked: readonly Kind[]) =>
  `No ${new Intl.ListFormat(LANGUAGE, { type: "disjunction" }).format(asked.map((kind) => one[kind]))} was found`;

const warnings: Record<WarningCode, string> = {
  NothingFound: "Nothing is hidden in this photo. If it shows something to hide, try again with a lower confidence.",
  BelowConfidence:
    "Something that should be hidden may still be visible, because the minimum confidence is high. Try again with a lower one.",
  NearSizeLimit: "Some faces or texts in this photo may be too small to find. Check the result for them.",
  AnswerCapped:
    "There is so much to hide that some may have been missed. Check the result closely, or split the photo into parts.",
  DarkPhoto: "The photo is so dark that little can be found. Check the result closely.",
  BlurredPhoto: "The photo is so blurred that little can be found. Check the result closely.",
  ChecksNotSettled:
    "The last check still found something. It is hidden too, but the photo was not checked again. Enlarge the result and look for anything that is still visible, before you publish it.",
  TruncatedPhoto: "Pixels are missing in this photo. They were filled in, and the other pixels were checked.",
  OneDetectorOnly: "Only one of two detectors was available. Check the result closely, or try again later.",
};

const states: Record<PhotoState, string> = {
  done: "Done",
  look: "Please look",
  review: "To review",
  working: "Working",
  failed: "Failed",
  cancelled: "Cancelled",
  deleted: "Deleted",
};

/** The same after a number, as in "2 to review". */
const counted: Record<PhotoState, string> = {
  done: "done",
  look: "to look at",
  review: "to review",
  working: "in work",
  failed: "failed",
  cancelled: "cancelled",
  deleted: "deleted",
};

export const texts = {
  kinds,
  title: "faceblur",
  tagline: "Hide faces, number plates and text in photos, before you publish them.",
  skip: "Skip to the photos",
  main: "Your photos",

  theme: {
    label: "Theme",
    system: "Same as the system",
    light: "Light",
    dark: "Dark",
  },

  signIn: {
    explain:
      "Sign in to hide faces and more in your photos. Photos that you have already added are kept in this browser.",
    button: "Sign in",
    unanswered: "The sign-in service does not answer at the moment. Please try again.",
  },

  drop: {
    heading: "Add photos",
    invite: "Drop photos here, or paste them",
    inviteTouch: "Choose photos from this device",
    release: "Drop them to add them",
    choose: "Choose photos",
    camera: "Take a photo",
    formats: `JPEG, PNG, WebP, AVIF, HEIC, TIFF or BMP, up to ${millions(MAX_BYTES)} MB and ${millions(MAX_PIXELS)} megapixels. Larger photos are first reduced in this browser.`,
    added: (count: number) => `${photos(count)} added.`,
  },

  promise: {
    heading: "What happens to a photo",
    points: [
      "It is uploaded to private storage, and deleted there as soon as its result has been checked, unless you keep it.",
      "What is hidden cannot be restored. Location and camera data are removed, too, unless you keep them.",
      "The result is deleted after one day, or at once when you delete it.",
      "A copy for comparison stays in this browser until you remove the photo, or until you open this page after one day. If the photo was not uploaded, the copy stays for one hour.",
    ],
    limits: "No detector finds everything. Check the result before you publish it.",
  },

  options: {
    heading: "What is hidden, and how",
    hint: "Used for photos that you add from now on.",
    reset: "Reset to defaults",
    kinds: {
      label: "Hide",
      face: "Faces",
      plate: "Number plates",
      text: "Text",
      explain: "Text is everything that can be read: signs, badges, letters and screens.",
    },
    style: {
      label: "Style",
      blur: "Blur",
      pixelate: "Pixelate",
      solid: "Solid",
      explain: "No style can be undone, at any strength.",
    },
    strength: {
      label: "Strength",
      explain:
        "At most nine colours remain of each hidden place, and fewer at higher strength. That is too little to restore it.",
      value: (value: number) => ["Normal", "Strong", "Strongest"][value - 1] ?? `${value}`,
    },
    colour: { label: "Colour", explain: "The colour that covers what is hidden." },
    shape: {
      label: "Shape",
      ellipse: "Oval",
      rounded: "Rounded",
      box: "Rectangle",
      explain:
        "The outline of a hidden face. The oval follows the head, and the others also hide the area beside it. Plates and text get rectangles.",
    },
    padding: {
      label: "Padding",
      explain:
        "How much is hidden around each face, plate or text. More padding also hides hair and ears, which can identify people too.",
    },
    confidence: {
      label: "Minimum confidence",
      explain: "Lower values find more. Higher values cause fewer false alarms. When in doubt, choose a lower one.",
      value: (value: number) => `${value} of 100`,
    },
    output: {
      label: "File format",
      same: "Same as the photo",
      explain: "The format of the result. HEIC photos come back as JPEG.",
    },
    nothingFound: {
      label: "Stop if nothing is found",
      explain:
        "For photos that certainly show something to hide. If nothing is found, the photo fails and has no result.",
    },
    truncated: {
      label: "Accept incomplete photos",
      explain:
        "Where pixels are missing, the result is grey or distorted. Without this option, such a photo fails and has no result.",
    },
    keep: {
      label: "Keep the original on the server",
      value: (hours: number) => (hours === 0 ? "Not at all" : `${hours} h`),
      explain:
        "Normally the original is deleted once the result is checked. While it is kept, you can change the result without a new upload.",
    },
    review: {
      label: "Review before hiding",
      never: "Never: hide everything found",
      when_unsure: "When something may be missed",
      always: "Always: I decide what is hidden",
      explain:
        "The photo waits for your decision. Without a decision, it is erased after 20 hours, or earlier if your operator chose so.",
    },
    more: "More",
    metadata: {
      label: "Keep in the file",
      time: "Time: when it was taken",
      position: "Position: where it was taken",
      camera: "Camera and settings",
      credit: "Credit: creator, copyright and caption",
      panorama: "Panorama: how to show a 360° photo",
      explain:
        "Normally all of this is removed. Everybody who gets the photo can read what you keep. Photos that are reduced before upload lose all of it.",
    },
    reduce: {
      label: "Reduce large photos before upload",
      explain: `Reduced to ${millions(REDUCED_PIXELS)} megapixels in this browser. The upload is faster, but small faces, plates and text may become too small to find.`,
    },
  },

  list: {
    heading: (count: number) => photos(count),
    empty: "No photos yet. Photos that you add appear here.",
    /** How many photos are in each state, such as "27 done, 2 to review, 1 failed". */
    summary: (counts: readonly (readonly [PhotoState, number])[]) =>
      counts.map(([state, count]) => `${number(count)} ${counted[state]}`).join(", "),
    filter: "Show",
    all: "All",
    view: "View",
    views: { list: "List", grid: "Grid" },
    download: (count: number) => `Download ${photos(count)}`,
    share: (count: number) => `Share ${photos(count)}`,
    leavesOut: (counts: readonly (readonly [PhotoState, number])[]) =>
      `Leaves out ${list(counts.map(([state, count]) => `${number(count)} ${counted[state]}`))}.`,
    complete: "The download leaves nothing out.",
    nothing: "Nothing to download here yet.",
    toLookAt: (count: number) => `Includes ${number(count)} marked “Please look”.`,
    missing: (names: readonly string[]) => `Missing, because loading failed: ${list(names)}.`,
    zipping: "Packing…",
    zipName: "faceblur.zip",
    suffix: {
      label: "Names of downloads end with",
      nothing: "nothing",
      explain:
        "If this is empty, photos in a ZIP file keep their names. If nothing is hidden in a photo, its name always ends with “-nothing-hidden”.",
    },
    deleteAll: "Delete all",
    deleteShown: (count: number) => `Delete these ${number(count)}`,
  },

  card: {
    before: (name: string) => `${name} before`,
    noPreview: "This browser cannot show this format.",
    stages: {
      checking: "Checking",
      waiting: "Waiting",
      reducing: "Reducing",
      uploading: "Uploading",
      sent: "Working",
      refused: "Failed",
      cancelled: "Cancelled",
    },
    states,
    elsewhere: "Another tab of this browser works on this photo.",
    review: "Review",
    change: "Change",
    decide: "Decide what is hidden",
    reviewNeeded: (asked: readonly Kind[], found: Counts, time: string) =>
      `${totalOf(found) === 0 ? noneOf(asked) : `${things(found)} found`}. There is no result until you decide. Without a decision, the photo is erased in ${time}.`,
    redoing: "This is the last result. It is replaced as soon as the new one is checked.",
    redoFailed: (message: string) => `The photo could not be done again, so this is the earlier result. ${message}`,
    uploaded: (done: string, all: string) => `${done} of ${all}`,
    uploadOf: (name: string) => `Upload of ${name}`,
    reduced: (from: string, to: string) => `Reduced from ${from} to ${to} before upload.`,
    size: (size: string, pixels: string) => `${size} (${pixels} pixels)`,
    elapsed: (time: string) => `${time} so far`,
    cancel: "Cancel",
    cancelled: "The upload was cancelled. Nothing of this photo is left on the server.",
    cancelledButNotErased:
      "The upload was cancelled, but the server cannot be reached. It erases its copy of this photo within one day. You can also try Delete now.",
    retry: "Try again",
    keepEarlier: "Keep the earlier result",
    remove: "Remove",
    deleteNow: "Delete now",
    connectionLost: "Connection lost. The work continues on the server, and this page keeps trying to reach it.",
    serverFailing: "The server does not answer at the moment. This page keeps trying.",
    expires: (time: string) => `Deleted automatically in ${time}`,
    expired: "Deleted automatically. The result is no longer available.",
  },

  steps: {
    label: "Progress",
    upload: "Uploaded",
    detect: "Looking for what to hide",
    hide: "Hiding",
    check: "Checking for what was missed",
    hide_missed: "Hiding what was missed and checking again",
    finished: "Done",
    states: { done: "done", current: "now", ahead: "to come", failed: "failed here" },
    total: (time: string) => `Took ${time}`,
  },

  result: {
    none: noneOf,
    nothingHidden: "Nothing is hidden",
    hidden: (counts: Counts) => `${things(counts)} hidden`,
    kept: (hidden: string, count: number) => `${hidden}, ${number(count)} kept visible`,
    checks: (checks: number, missed: number) =>
      missed === 0
        ? `Checked ${times(checks)}: nothing more was found.`
        : `Checked ${times(checks)}: the ${checks === 2 ? "first check" : "checks"} found ${more(missed)} hidden too.`,
    stripped: (kinds: string[]) => `Removed from the file: ${kinds.join(", ")}.`,
    keptMetadata: (kinds: string[]) => `Kept in the file, as you chose: ${kinds.join(", ")}.`,
    file: (kind: string, size: string, pixels: string) => `${kind}, ${size}, ${pixels} pixels.`,
    loading: "Loading the result…",
    unavailable: "The result could not be loaded.",
    reload: "Load it again",
    before: "Before",
    after: "After",
    slider: (name: string) => `Before and after of ${name}: arrow keys move the line between them`,
    afterAlt: (name: string) => `${name}, the result`,
    noBefore: "The original is not shown: this browser cannot display it, or no longer has it.",
    unreadable: "This browser cannot show this format. You can still download the result.",
    download: "Download",
    share: "Share",
    enlarge: "Enlarge",
    showBoxes: "Show boxes",
    receipt: "Receipt",
    receiptFailed: "The receipt could not be loaded. Please try again.",
    receiptName: (stem: string) => `${stem}-receipt.json`,
  },

  boxes: {
    label: (name: string) => `Boxes of what was found in ${name}`,
    none: "Nothing was found, so there is no box.",
    confidence: (confidence: string) => `${confidence} sure`,
    check: (round: number) => `found by check ${round}`,
    legend: "A dashed box was found by a check.",
    more: (count: number) =>
      count === 1
        ? "1 more box is in the picture. The receipt lists them all."
        : `${number(count)} more boxes are in the picture. The receipt lists them all.`,
    byPerson: "chosen by a person",
    visible: "kept visible",
    visibleLegend: "A dotted box stays visible.",
    foundBy: { embedded: "own detector", rekognition: "Amazon Rekognition" },
  },

  editor: {
    title: (name: string) => `What is hidden in ${name}`,
    unnamed: "this photo",
    position: (index: number, count: number) => `${index} of ${count}`,
    previous: "Previous photo",
    next: "Next photo",
    close: "Close",
    loading: "Loading the photo…",
    unreadable: "This browser cannot show this photo. Download the result to look at it.",
    working: "This photo is being worked on. You can decide as soon as it is ready.",
    failed: "This photo has failed, so there is nothing to decide. Close this view to see why.",
    gone: "The photo was deleted on the server, and this browser no longer has it. To change what is hidden, add the photo again.",
    unknown: "There is no such photo. It may have been deleted or have expired.",
    onlyResult: "The original cannot be shown, so this view shows the result. Places that are hidden stay covered.",
    stage: (name: string) => `Boxes of ${name}`,
    help: "Click a box to hide or show what it holds. Drag to draw a box. Keys: arrows go to the next box, Space hides or shows it, Shift and arrows move it, Alt and arrows resize it, R turns it, Delete removes a drawn box, N draws one, Ctrl+Z undoes, plus and minus zoom, 0 shows all, 1 shows the actual size.",
    count: (hidden: Counts, visible: Counts) => `${things(hidden)} hidden, ${things(visible)} visible`,
    hideAll: "Hide all",
    showAll: "Show all",
    showAllBut: "Show all but the selected",
    hideKind: (kind: Kind) => `Hide all ${several[kind]}`,
    showKind: (kind: Kind) => `Show all ${several[kind]}`,
    undo: "Undo",
    redo: "Redo",
    draw: "Draw a box",
    drawAs: "New boxes",
    kind: "What it shows",
    pan: "Move the picture",
    zoomIn: "Zoom in",
    zoomOut: "Zoom out",
    actualSize: "100 %",
    whole: "Whole picture",
    finish: "Hide these",
    finishNone: "Hide nothing",
    sending: "Sending…",
    uploads:
      "The server no longer has this photo. It is uploaded again from this browser, and the new result replaces the last one.",
    selected: "Selected box",
    noneSelected:
      "Click or tap a box to hide or show what it holds. Drag on the photo to draw a box around what was not found. The wheel or two fingers zoom.",
    remove: "Delete the box",
    ownStyle: "A style of its own",
    ownStyleLegend: "Style of this box",
    photoStyle: "Again with another style",
    photoStyleLegend: "Style of this photo",
    padding: "Padding",
    applyToAll: "Apply to all photos",
    applied: (count: number) =>
      count === 0 ? "No other photo can be changed now." : `${photos(count)} will be done again.`,
    leftOut: (count: number, reason: string) => `${photos(count)} left out: ${reason}`,
    reasons: {
      review: "not reviewed yet.",
      working: "still in work.",
      failed: "failed.",
      gone: "deleted on the server, and no longer in this browser.",
    },
    list: "Boxes",
    listed: "Listed",
    allKinds: (count: number) => `All ${number(count)}`,
    ofKind,
    nothingFound: "Nothing was found. Drag on the photo to draw a box.",
    more: (count: number) => `${number(count)} more are in the picture.`,
    hide: (name: string) => `Hide ${name}`,
    name: (kind: Kind, isDrawn: boolean, index: number, row: string, column: string) =>
      `${isDrawn ? "drawn " : ""}${one[kind]} ${index} (${row} ${column})`,
    rows: ["upper", "middle", "lower"],
    columns: ["left", "centre", "right"],
    state: (name: string, hidden: boolean) => `${name}: ${hidden ? "hidden" : "visible"}`,
    opened: (name: string) => `${name} is ready for your review.`,
  },

  zoom: {
    title: (name: string) => `${name}, enlarged`,
    close: "Close",
    in: "Zoom in",
    out: "Zoom out",
    level: "Zoom",
    region: "Picture; arrow keys move it",
    showBefore: "Show before",
  },

  warnings,
  unknownWarning: (code: string) => `Check the result closely (${code}).`,

  remedies: {
    again: "Try again",
    lower: "Try again with lower confidence",
    reduce: "Reduce and try again",
    reset: "Try again with default options",
  },

  failures: {
    offline: "The server cannot be reached. Please check your connection and try again.",
    notSignedIn: "Please sign in again, then try again.",
    unforeseen: "Something went wrong on our side. Please try again.",
    empty: "This file is empty. Please choose the photo again.",
    unsupported:
      "This file is not a photo in a format we can read. Please upload a JPEG, PNG, WebP, AVIF, HEIC, TIFF or BMP file.",
    tooSmall: "This image is too small to find anything in it. Please upload the original photo.",
    tooLarge: "This photo is too large, and this browser cannot reduce it. Please reduce it and add it again.",
    refusedTooLarge: `This photo is above the limit of ${millions(MAX_BYTES)} MB. Please reduce it.`,
    formExpired: "The upload started too late. Please try again.",
    uploadRefused: "The storage did not accept this photo. Please try again.",
    interrupted: "The upload was interrupted and this browser no longer has the photo. Please add it again.",
    forgotten: "This browser no longer has this photo. Please add it again.",
    outdated: "This part of the page could not be loaded. Please reload the page.",
    notReduced: "This browser could not reduce the photo. Please reduce it and add it again.",
    notShared: "This device did not share the photos. Please try again, or download them.",
    notDeleted: "This could not be deleted at the moment. Please try again.",
  },

  confirm: {
    title: "Delete permanently?",
    one: (name: string) => `${name}, its result and its receipt will be erased from the server and from this browser.`,
    all: (count: number) =>
      `${photos(count)} with results and receipts will be erased from the server and from this browser.`,
    yes: "Delete",
    no: "Keep",
  },

  announce: {
    stage: (name: string, stage: string) => `${name}: ${stage}`,
    failed: (name: string, message: string) => `${name} failed: ${message}`,
    deleted: (name: string) => `${name} deleted.`,
    deletedAll: (count: number) => `${photos(count)} deleted.`,
  },

  crash: {
    title: "The page has stopped working",
    text: "Your photos are safe. Reload the page to continue.",
    reload: "Reload",
  },
  footer: "What no detector finds is not hidden. Clothes, companions and places can identify people, too.",
};
