// Where one can go: the rail, the bottom bar, the palette and the g-keys all read this list.
import {
    IconActivityHeartbeat, IconBell, IconBinaryTree, IconBook2, IconClipboardCheck, IconLayoutGrid, IconListDetails, IconLock, IconRobot,
    IconSettings, IconTrafficLights, IconVersions,
} from '@tabler/icons-react';

export const places = [
    { to: '/', label: 'Now', icon: IconActivityHeartbeat, key: 'n' },
    { to: '/incidents', label: 'Incidents', icon: IconListDetails, key: 'i' },
    { to: '/containment', label: 'Containment', icon: IconLock, key: 'x' },
    { to: '/releases', label: 'Releases', icon: IconVersions, key: 'r' },
    { to: '/reviews', label: 'Reviews', icon: IconClipboardCheck, key: 'v' },
    { to: '/gate', label: 'Gate', icon: IconTrafficLights, key: 'p' },
    { to: '/classes', label: 'Classes', icon: IconLayoutGrid, key: 'c' },
    { to: '/agents', label: 'Agents', icon: IconRobot, key: 'a' },
    { to: '/traces', label: 'Traces', icon: IconBinaryTree, key: 't' },
    { to: '/notices', label: 'Notices', icon: IconBell, key: 'o' },
    { to: '/journal', label: 'Journal', icon: IconBook2, key: 'j' },
    { to: '/settings', label: 'Settings', icon: IconSettings, key: 's' },
] as const;
