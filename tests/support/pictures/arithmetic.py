"""A JPEG with arithmetic coding, which Pillow reads but does not write (ITU-T T.81, annex D)."""

from base64 import b64decode

# A pattern in grey, 64 × 64: Pillow wrote it, and `jpegtran -arithmetic` recoded it.
ARITHMETIC = b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKrarYqMyP/L2u71////m8H////6"
    "/+b9//j/yQALCABAAEABAREA/8wABgAQEAX/2gAIAQEAAD8A0b3UThSRoCqvuj0UE6Ok5bWS6vt7sux504B4e9eJvlLfAPkxsIMy5EP4H/qH5Ci8"
    "81YVV11S/cWefHYF9xa3cCWl3zNgJ1A7HsUJDVtyQBZ4CRRWtdF+Arg5BnNuB9UcSMTKtaaWvauyNkmc1OS4I1edgAE32qU89bRRO8iRhAAjPQk4"
    "mW1GipV9aNLlAdcTocuLscx3QX+QWJFh68Yt9jAJN7pIpbEIGwvODG4/65tgCumJOFBpEhi1lPTXYBLi+qBu4Kks2Vob82973VOVXD33UWWdoNX7"
    "OnKCVtbFBx/BaGpNZcz04H/56MDpr8zahvbynsOU34W9rp/m9sAmAS/74jBTf6W2fXv7IzkUYOaGpGEjwwuof2CKPR3xtwIN3tOhvQxY6iwKY0GC"
    "XntfI8KlXOJWsVSYkOWT24MoaztFvGVGVp4dtNktVimwMgoyyh5gCif4zc/TpxtU/qLSlstFkbpuergchpVrgWQvZAYr36jsFG0yP890OMlfWDwV"
    "bcpC35bPs98OHfnTX9A3z7p6AmBHViNPaINr81UyFVybTL4tTqo3ydP7BO4VscyEP++Z9CTmz9bT8s8HLlxWdgC2dAXhgV5rt4tXzVsChZuJZQE5"
    "OM04/9k="
)
