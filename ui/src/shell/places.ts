// Where one can go: the rail, the bottom bar, the palette and the g-keys all read this list.
import {
    IconActivityHeartbeat, IconBell, IconBinaryTree, IconBook2, IconLayoutGrid, IconListDetails, IconRobot, IconSettings,
} from '@tabler/icons-react';

export const places = [
    { to: '/', label: 'Now', icon: IconActivityHeartbeat, key: 'n' },
    { to: '/incidents', label: 'Incidents', icon: IconListDetails, key: 'i' },
    { to: '/classes', label: 'Classes', icon: IconLayoutGrid, key: 'c' },
    { to: '/agents', label: 'Agents', icon: IconRobot, key: 'a' },
    { to: '/traces', label: 'Traces', icon: IconBinaryTree, key: 't' },
    { to: '/notices', label: 'Notices', icon: IconBell, key: 'o' },
    { to: '/journal', label: 'Journal', icon: IconBook2, key: 'j' },
    { to: '/settings', label: 'Settings', icon: IconSettings, key: 's' },
] as const;
