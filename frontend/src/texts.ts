/** All words of the page, in one place for translation. */
export const LANGUAGE = "en";

const number = (count: number) => count.toLocaleString(LANGUAGE);
const faces = (count: number) => (count === 1 ? "1 face" : `${number(count)} faces`);
const moreFaces = (count: number) => (count === 1 ? "1 more face, which is" : `${number(count)} more faces, which are`);
const photos = (count: number) => (count === 1 ? "1 photo" : `${count} photos`);
const times = (count: number) => ["once", "twice"][count - 1] ?? `${count} times`;

export const texts = {
  title: "faceblur",
  tagline: "Hide every face in a photo, before you publish it.",
  skip: "Skip to the photos",
  main: "Your photos",

  theme: {
    label: "Look",
    system: "As the system",
    light: "Light",
    dark: "Dark",
  },

  signIn: {
    explain: "Sign in to hide faces in your photos. What you have begun waits in this browser.",
    button: "Sign in",
    unanswered: "The sign-in does not answer just now. Please try again.",
  },

  drop: {
    heading: "Add photos",
    invite: "Drop photos here, or paste them",
    inviteTouch: "Choose photos from this device",
    release: "Let go to add them",
    choose: "Choose photos",
    camera: "Take a photo",
    formats:
      "JPEG, PNG, WebP, AVIF, HEIC, TIFF or BMP, up to 35 MB and 100 megapixels. Larger ones are reduced here first.",
    added: (count: number) => `${photos(count)} added.`,
  },

  promise: {
    heading: "What happens to a photo",
    points: [
      "It goes straight to private storage, and is deleted there as soon as its result has been checked.",
      "What hides a face cannot be undone: too little of it is left. Location and camera data are removed as well.",
      "The result is deleted after a day, or at once when you say so.",
      "A copy for comparing stays in this browser until you remove the photo, or open this page after a day; after an hour, if it was not uploaded.",
    ],
    limits: "No detector finds every face. Look at the result before you publish it.",
  },

  options: {
    heading: "How faces are hidden",
    hint: "Used for photos that you add from now on.",
    reset: "Reset to defaults",
    style: {
      label: "Style",
      blur: "Blur",
      pixelate: "Pixelate",
      solid: "Solid",
      explain: "None of them can be undone, at any strength.",
    },
    strength: {
      label: "Strength",
      explain:
        "Stronger leaves fewer shades of a face. Even the least leaves nine at most, from which no face comes back.",
      value: (value: number) => ["Normal", "Strong", "Strongest"][value - 1] ?? `${value}`,
    },
    colour: { label: "Colour", explain: "The colour of the solid style." },
    shape: {
      label: "Shape",
      ellipse: "Oval",
      rounded: "Rounded",
      box: "Rectangle",
      explain: "The oval follows the head. The other two also hide what is beside it.",
    },
    padding: {
      label: "Room around a face",
      explain: "More room hides more of hair and ears, by which people can be recognised too.",
    },
    confidence: {
      label: "Minimum confidence",
      explain: "Lower finds more faces, higher gives fewer false alarms. When in doubt, go lower.",
      value: (value: number) => `${value} of 100`,
    },
    output: {
      label: "File format",
      same: "Same as the photo",
      explain: "The format of the result. HEIC photos come back as JPEG.",
    },
    noFaces: {
      label: "Stop if no face is found",
      explain:
        "For photos that are known to show people: a photo without a found face fails instead of passing through.",
    },
    keep: {
      label: "Keep the original on the server",
      explain: "Normally it is deleted at once. Kept, it is deleted together with the result.",
    },
    reduce: {
      label: "Reduce large photos before upload",
      explain:
        "To 16 megapixels, in this browser: faster on a slow connection, but small faces may get too small to find.",
    },
  },

  list: {
    heading: (count: number) => photos(count),
    empty: "No photos yet. What you add appears here.",
    downloadAll: (count: number) => `Download all ${count}`,
    zipping: "Packing…",
    zipName: "faceblur.zip",
    deleteAll: "Delete all",
  },

  card: {
    before: (name: string) => `${name} before`,
    noPreview: "This browser cannot show this format.",
    stages: {
      checking: "Checking",
      waiting: "Waiting its turn",
      reducing: "Reducing",
      uploading: "Uploading",
      sent: "Working",
      refused: "Failed",
      cancelled: "Cancelled",
    },
    done: "Done",
    failed: "Failed",
    gone: "Deleted",
    uploaded: (done: string, all: string) => `${done} of ${all}`,
    uploadOf: (name: string) => `Upload of ${name}`,
    reduced: (from: string, to: string, size: string) =>
      `Reduced from ${from} to ${to} (${size} pixels) before upload.`,
    elapsed: (time: string) => `${time} so far`,
    cancel: "Cancel",
    cancelled: "The upload was cancelled. Nothing of this photo is left on the server.",
    cancelledUnheard:
      "The upload was cancelled, but the server has not heard of it yet. What it has is erased within a day, or now with Delete.",
    retry: "Try again",
    remove: "Remove",
    deleteNow: "Delete now",
    lost: "Connection lost. The work goes on without us; we keep asking for news.",
    slowToAnswer: "The server does not answer just now. We keep asking.",
    expires: (time: string) => `Deleted automatically in ${time}`,
    expired: "Deleted automatically. It can no longer be fetched.",
  },

  steps: {
    label: "Progress",
    upload: "Uploaded",
    detect: "Finding faces",
    hide: "Hiding them",
    check: "Checking the result",
    hide_missed: "Hiding what was missed, checking again",
    finished: "Done",
    states: { done: "done", current: "now", ahead: "to come", failed: "failed here" },
    total: (time: string) => `Worked on for ${time}`,
  },

  result: {
    none: "No face was found",
    hidden: (count: number) => `${faces(count)} hidden`,
    checked: (checks: number, missed: number) =>
      missed === 0
        ? `Checked ${times(checks)}: no more faces were found.`
        : `Checked ${times(checks)}: the ${checks === 2 ? "first check" : "checks"} found ${moreFaces(missed)} hidden too.`,
    stripped: (kinds: string[]) => `Removed from the file: ${kinds.join(", ")}.`,
    file: (kind: string, size: string, pixels: string) => `${kind}, ${size}, ${pixels} pixels.`,
    loading: "Fetching the result…",
    unavailable: "The result could not be fetched.",
    reload: "Fetch it again",
    before: "Before",
    after: "After",
    slider: (name: string) => `Before and after of ${name}: arrow keys move the line between them`,
    afterAlt: (name: string) => `${name} with its faces hidden`,
    noBefore: "The photo before is not shown: this browser cannot display it, or no longer has it.",
    notShown: "This browser cannot show this format; the download has it.",
    download: "Download",
    enlarge: "Enlarge",
    boxes: "Show boxes",
    receipt: "Receipt",
    receiptFailed: "The receipt could not be fetched. Please try again.",
    fileName: (stem: string, extension: string) => `${stem}-blurred.${extension}`,
    receiptName: (stem: string) => `${stem}-receipt.json`,
  },

  boxes: {
    label: "Faces that were found",
    none: "No face was found, so there is no box.",
    face: (confidence: string) => `${confidence} sure`,
    check: (round: number) => `found by check ${round}`,
    legend: "A dashed box is a face that a check found.",
    more: (count: number) =>
      count === 1
        ? "1 more box is in the picture. The receipt lists them all."
        : `${number(count)} more boxes are in the picture. The receipt lists them all.`,
    foundBy: { embedded: "own detector", rekognition: "Amazon Rekognition" } as Record<string, string>,
  },

  zoom: {
    title: (name: string) => `${name}, enlarged`,
    close: "Close",
    in: "Closer",
    out: "Farther",
    level: "Enlargement",
    region: "Picture; arrow keys move it",
    showBefore: "Show before",
  },

  warnings: {
    NoFacesFound: "Nothing is hidden in this photo. If there is a face in it, try again, finding more.",
    FacesBelowConfidence:
      "Likely faces were left visible, because the minimum confidence is set high. Try a lower one.",
    FacesNearSizeLimit:
      "Some faces are about as small as can be found. Look for smaller ones that may have been missed.",
    AnswerCapped:
      "There are so many faces that some may have been missed. Look at the crowd closely, or split the photo.",
    DarkPhoto: "The photo is so dark that faces are hard to find. Look at the result closely.",
    BlurredPhoto: "The photo is so blurred that faces are hard to find. Look at the result closely.",
    ChecksNotSettled:
      "The last check still found something. It is hidden too, but was not checked again. Enlarge the result and look for faces that still show, before you publish it.",
    OneDetectorOnly: "Only one of two detectors was available. Look at the result closely, or try again later.",
  } as Record<string, string>,
  unknownWarning: (code: string) => `Look at the result closely (${code}).`,

  remedies: {
    again: "Try again",
    lower: "Try again, finding more",
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
    tooSmall: "This image is too small to find faces in it. Please upload the original photo.",
    tooLarge: "This photo is too large, and this browser cannot reduce it. Please reduce it and add it again.",
    refusedTooLarge: "This photo is above the limit of 35 MB. Please reduce it.",
    formExpired: "The upload began too late for its form. Please try again.",
    uploadRefused: "The storage did not take this photo. Please try again.",
    interrupted: "The upload was interrupted and this browser no longer has the photo. Please add it again.",
    forgotten: "This browser no longer has this photo. Please add it again.",
    outdated: "This part of the page could not be loaded. Please reload the page.",
    notReduced: "This browser could not reduce the photo. Please reduce it and add it again.",
    notDeleted: "This could not be deleted just now. Please try again.",
  },

  confirm: {
    title: "Delete for good?",
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
    deletedAll: "All photos deleted.",
  },

  crash: {
    title: "The page stumbled",
    text: "Your photos are safe. Load the page again to go on.",
    reload: "Load again",
  },
  footer: "A face that no detector sees is not hidden. Clothes, company and place can identify people, too.",
};
