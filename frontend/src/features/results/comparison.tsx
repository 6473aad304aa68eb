import { ReactCompareSliderClip } from "react-compare-slider/consts";
import { Handle, HandleRoot, Item, Provider, Root } from "react-compare-slider/components";
import { useReactCompareSlider } from "react-compare-slider/hooks";
import { texts } from "../../texts";

type Props = { before: string; after: string; name: string; onUnreadable: () => void };

/** The photo before and after, one over the other, with a movable line between them. */
export function Comparison({ before, after, name, onUnreadable }: Props) {
  const slider = useReactCompareSlider({ clip: ReactCompareSliderClip.all, keyboardIncrement: "5%" });
  return (
    <Provider {...slider}>
      <Root className="comparison">
        <Item item="itemOne">
          <img src={before} alt={texts.card.before(name)} decoding="async" />
          <span className="comparison-label">{texts.result.before}</span>
        </Item>
        <Item item="itemTwo">
          <img src={after} alt={texts.result.afterAlt(name)} decoding="async" onError={onUnreadable} />
          <span className="comparison-label is-after">{texts.result.after}</span>
        </Item>
        <HandleRoot aria-label={texts.result.slider(name)} className="comparison-handle">
          <Handle />
        </HandleRoot>
      </Root>
    </Provider>
  );
}
