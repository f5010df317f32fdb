/** Colours and type of the application. `views/app.css` loads this file. */
export default {
  content: ['./views/**/*.hbs', './public/*.js'],
  darkMode: 'media',
  theme: {
    extend: {
      colors: {
        ink: { DEFAULT: '#16202c', soft: '#4a5768', faint: '#5f6c7d' },
        paper: { DEFAULT: '#f7f6f3', card: '#ffffff', line: '#e2dfd8' },
        night: {
          DEFAULT: '#0f151d',
          card: '#18212c',
          line: '#2b3745',
          edge: '#52647a',
          text: '#e8edf3',
          soft: '#a9b6c5',
        },
        brand: { DEFAULT: '#0b6e5f', strong: '#07594d', tint: '#dff3ee', light: '#4fd1b5' },
      },
      fontFamily: {
        sans: [
          'ui-sans-serif',
          'system-ui',
          '-apple-system',
          'Segoe UI',
          'Roboto',
          'Helvetica Neue',
          'Arial',
          'sans-serif',
        ],
        mono: ['ui-monospace', 'SFMono-Regular', 'Menlo', 'Consolas', 'monospace'],
      },
      maxWidth: { page: '60rem' },
    },
  },
};
