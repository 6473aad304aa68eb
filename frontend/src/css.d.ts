import "react";

// CSS variables of this page, in addition to the properties that React knows.
declare module "react" {
  interface CSSProperties {
    "--ratio"?: number;
  }
}
