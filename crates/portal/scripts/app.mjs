// Everything works without this file. It only makes some things smoother.
import {
  Button,
  Checkboxes,
  ErrorSummary,
  Header,
  NotificationBanner,
  Radios,
  SkipLink,
  createAll,
} from "nhsuk-frontend";

for (const component of [Header, ErrorSummary, NotificationBanner, Button, Radios, Checkboxes, SkipLink]) {
  createAll(component);
}
